import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ageOf, formatDuration } from './duration.ts';
import { canonicalMicros, canonicalSeconds, formatMicroTime, formatTime, parseTime } from './times.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const durations: readonly (readonly [number, string])[] = [
  [-5 * second, '<invalid>'],
  [-1 * second, '0s'],
  [0, '0s'],
  [119 * second, '119s'],
  [120 * second, '2m'],
  [5 * minute + 10 * second, '5m10s'],
  [10 * minute + 5 * second, '10m'],
  [179 * minute, '179m'],
  [3 * hour, '3h'],
  [3 * hour + 5 * minute, '3h5m'],
  [8 * hour + 5 * minute, '8h'],
  [47 * hour, '47h'],
  [2 * day + 3 * hour, '2d3h'],
  [8 * day + 3 * hour, '8d'],
  [700 * day, '700d'],
  [3 * 365 * day + 20 * day, '3y20d'],
  [9 * 365 * day, '9y'],
];

for (const [ms, text] of durations) test(`${ms} ms are ${text}`, () => assert.equal(formatDuration(ms), text));

test('the age of an unset time is unknown', () => {
  assert.equal(ageOf(undefined, 0), '<unknown>');
  assert.equal(ageOf('1970-01-01T00:00:10Z', 70 * second), '60s');
});

test('times are written in UTC with seconds or microseconds', () => {
  assert.equal(formatTime(1_700_000_000_500), '2023-11-14T22:13:20Z');
  assert.equal(formatMicroTime(1_700_000_000_123.456), '2023-11-14T22:13:20.123456Z');
  assert.equal(canonicalSeconds('2023-11-14T23:13:20.9+01:00'), '2023-11-14T22:13:20Z');
  assert.equal(canonicalMicros('2023-11-14T22:13:20Z'), '2023-11-14T22:13:20.000000Z');
  assert.equal(canonicalMicros('2023-11-14T22:13:20.1234567Z'), '2023-11-14T22:13:20.123456Z');
});

test('what is not RFC 3339 is no time', () => {
  for (const text of ['', 'now', '2023-11-14', '2023-13-14T00:00:00Z', '2023-11-14 00:00:00Z']) {
    assert.equal(parseTime(text), undefined, text);
  }
});

test('days, hours and years that there are not are no time', () => {
  const none = ['2026-02-30T00:00:00Z', '2025-02-29T00:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01T00:00:60Z'];
  const beyond = ['0000-01-01T00:00:00+01:00', '9999-12-31T23:59:59-01:00'];
  for (const text of [...none, ...beyond]) {
    assert.equal(canonicalSeconds(text), undefined, text);
    assert.equal(canonicalMicros(text), undefined, text);
  }
  assert.equal(canonicalSeconds('2024-02-29T00:00:00Z'), '2024-02-29T00:00:00Z');
});
