import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { duplicateFields } from './json.ts';

function duplicatesIn(text: string): readonly string[] {
  return duplicateFields(text, JSON.parse(text));
}

const cases: readonly (readonly [string, readonly string[]])[] = [
  ['{}', []],
  ['[]', []],
  ['"a"', []],
  ['{"a":1,"b":{"a":2}}', []],
  ['{"a":1,"a":2}', ['a']],
  ['{"a":[{"b":1},{"b":1,"b":2}]}', ['a[1].b']],
  ['{"a":{"b":1},"c":{"b":1,"d":{"e":1,"e":2}},"c":1}', ['c.d.e', 'c']],
  [String.raw`{"a":"\"b\":","b":"\\"}`, []],
  [String.raw`{"a\"":1 , "a\"" :2}`, ['a"']],
  ['{"a" : [ "x:" , {} ] }', []],
];

for (const [text, wanted] of cases) {
  test(`duplicates in ${text}`, () => assert.deepEqual(duplicatesIn(text), wanted));
}

test('what JSON.stringify writes has no duplicates', () => {
  fc.assert(fc.property(fc.json(), (text) => assert.deepEqual(duplicatesIn(text), [])));
});

test('a body may be nested as deep as it likes', () => {
  const text = `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
  assert.deepEqual(duplicatesIn(text), []);
});
