import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { allCases } from '../../src/proxy/contract/cases.ts';
import type { Shown } from './suite.ts';
import { suites } from './titles.ts';

const root = join(import.meta.dirname, '../..');
const caseTitles = new Set(allCases.map(({ title }) => title));

/** Why an entry shows nothing; undefined when it does. */
function fault(shown: Shown): string | undefined {
  if (typeof shown === 'string') return caseTitles.has(shown) ? undefined : `the contract has no case "${shown}"`;
  const path = join(root, shown.file);
  if (!existsSync(path)) return `there is no file ${shown.file}`;
  const names = [...readFileSync(path, 'utf8').matchAll(/\b(?:test|it)\(\s*(['"`])(.*?)\1/g)].map(([, , name]) => name);
  return names.includes(shown.test) ? undefined : `${shown.file} has no test "${shown.test}"`;
}

for (const { name, titles } of suites) {
  test(`every title of "${name}" is shown by cases and tests that exist`, () => {
    for (const [title, entry] of Object.entries(titles)) {
      if ('absent' in entry) continue;
      assert.ok(entry.length > 0, `nothing shows "${title}"`);
      assert.deepEqual(
        entry.map(fault).filter((each) => each !== undefined),
        [],
        title,
      );
    }
  });
}

test('the fifty titles of Services are all there', () => {
  const services = suites.find(({ name }) => name === 'Services should');
  assert.equal(Object.keys(services?.titles ?? {}).length, 50);
});

test('no two cases of the contract have one title', () => {
  assert.equal(caseTitles.size, allCases.length);
});
