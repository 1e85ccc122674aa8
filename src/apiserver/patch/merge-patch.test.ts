import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ApiError } from '../../api/errors.ts';
import type { JsonObject } from '../../lib/json.ts';
import { applyMergePatch } from './merge-patch.ts';

/** The cases of RFC 7386, appendix A, whose document is an object. */
const cases: readonly (readonly [JsonObject, JsonObject, JsonObject])[] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  [{ a: 'foo' }, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
];

for (const [document, patch, expected] of cases) {
  it(`merges ${JSON.stringify(patch)} into ${JSON.stringify(document)}`, () => {
    assert.deepEqual(applyMergePatch(document, patch), expected);
  });
}

it('makes an own field of __proto__', () => {
  const patched = applyMergePatch({}, JSON.parse('{"__proto__":{"a":1}}'));
  assert.equal(JSON.stringify(patched), '{"__proto__":{"a":1}}');
});

it('refuses a patch that is no object', () => {
  for (const patch of [null, 1, 'x', []]) assert.throws(() => applyMergePatch({}, patch), ApiError);
});
