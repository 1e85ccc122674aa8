import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from './duration.ts';

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
