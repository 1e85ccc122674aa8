import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAge } from './durations.ts';

const ages: readonly [number, string][] = [
  [-5, '0s'],
  [119, '119s'],
  [120, '2m'],
  [125, '2m5s'],
  [599, '9m59s'],
  [600, '10m'],
  [10_799, '179m'],
  [10_800, '3h'],
  [12_000, '3h20m'],
  [28_800, '8h'],
  [172_799, '47h'],
  [172_800, '2d'],
  [187_200, '2d4h'],
  [691_200, '8d'],
  [63_072_000, '2y'],
];

for (const [seconds, text] of ages) {
  test(`${seconds} seconds are shown as ${text}`, () => assert.equal(formatAge(seconds * 1000), text));
}
