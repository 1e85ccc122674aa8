import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isJsonObject, ownField, sameJson } from './json.ts';

const pairs: readonly (readonly [unknown, unknown, boolean])[] = [
  [1, 1, true],
  [1, '1', false],
  [null, undefined, false],
  [null, {}, false],
  [[], {}, false],
  [[1, 2], [1, 2], true],
  [[1, 2], [2, 1], false],
  [{ a: 1, b: [{}] }, { b: [{}], a: 1 }, true],
  [{ a: 1 }, { a: 1, b: undefined }, true],
  [{ a: undefined }, { b: undefined }, true],
  [{ a: 1 }, { b: 1 }, false],
  [{ constructor: 1 }, {}, false],
  [{}, { toString: 1 }, false],
];

for (const [left, right, same] of pairs) {
  it(`says ${same} of ${JSON.stringify(left)} and ${JSON.stringify(right)}`, () => {
    assert.equal(sameJson(left, right), same);
    assert.equal(sameJson(right, left), same);
  });
}

it('tells objects from everything else', () => {
  assert.deepEqual([{}, [], null, 'x', 1].map(isJsonObject), [true, false, false, false, false]);
  assert.equal(ownField({}, 'constructor'), undefined);
});
