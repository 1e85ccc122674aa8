import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAge, parseDuration } from './durations.ts';

const durations: readonly [string, number | undefined][] = [
  ['0', 0],
  ['250ms', 250],
  ['90s', 90_000],
  ['1.5h', 5_400_000],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
  ['5', undefined],
  ['m5', undefined],
  ['-1s', undefined],
  ['', undefined],
];

for (const [text, ms] of durations) {
  test(`the duration "${text}" is ${ms === undefined ? 'refused' : `${ms} ms`}`, () => {
    assert.equal(parseDuration(text), ms);
  });
}

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
