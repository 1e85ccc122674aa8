import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { canonicalQuantity, quantityInNano } from './quantity.ts';

const cases: readonly (readonly [string, string | undefined])[] = [
  ['0', '0'],
  ['100m', '100m'],
  ['1000m', '1'],
  ['0.5', '500m'],
  ['1.5Gi', '1536Mi'],
  ['1024Ki', '1Mi'],
  ['128974848', '128974848'],
  ['129e6', '129e6'],
  ['129M', '129M'],
  ['1000M', '1G'],
  ['0.1Gi', '107374182400m'],
  ['-5', '-5'],
  ['512Ki', '512Ki'],
  ['1000Ki', '1000Ki'],
  ['.5', '500m'],
  ['5.', '5'],
  ['', undefined],
  ['m', undefined],
  ['1 Gi', undefined],
  ['1gi', undefined],
  ['one', undefined],
];

for (const [text, wanted] of cases) {
  test(`${JSON.stringify(text)} is ${wanted ?? 'no quantity'}`, () => {
    assert.equal(canonicalQuantity(text), wanted);
  });
}

test('the canonical text has the same value and is its own canonical text', () => {
  const suffix = fc.constantFrom('', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3');
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), suffix, (number, unit) => {
      const canonical = canonicalQuantity(`${number}${unit}`) ?? '';
      assert.equal(quantityInNano(canonical), quantityInNano(`${number}${unit}`));
      assert.equal(canonicalQuantity(canonical), canonical);
    }),
  );
});
