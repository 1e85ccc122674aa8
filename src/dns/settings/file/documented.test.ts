import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSettingsFile } from './settings-file.ts';

const folder = import.meta.dirname;
const page = readFileSync(join(folder, '../../../../docs/reference/dns-settings.md'), 'utf8');
const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text ?? '');

test('the examples of the page can be used', () => {
  assert.equal(examples.length, 2);
  for (const text of examples) {
    const read = readSettingsFile(text, {
      file: 'dns.yaml',
      path: (each) => each,
      resolvers: () => ['192.0.2.53'],
    });
    assert.equal(read.servers.length, 1);
  }
});

test('every field is on the page', () => {
  const source = readFileSync(join(folder, 'settings-file.ts'), 'utf8');
  const lists = [...source.matchAll(/(?:fields\(|Fields = )\[(.*?)\]/gs)].map(([, list]) => list ?? '');
  const names = new Set(lists.flatMap((list) => [...list.matchAll(/'(\w+)'/g)].map(([, name]) => name ?? '')));
  assert.ok(names.size > 60, `${names.size} fields were found in the source`);
  const missing = [...names].filter((name) => !new RegExp(`\\b${name}\\b:`).test(examples.join('\n')));
  assert.deepEqual(missing, []);
});
