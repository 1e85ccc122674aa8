import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProbeCount } from './probe-counter.ts';
import { countProbe, newCount, probeTiming } from './probe-counter.ts';

test('a probe without numbers has the defaults of Kubernetes', () => {
  assert.deepEqual(probeTiming({}), {
    initialDelayMs: 0,
    periodMs: 10_000,
    timeoutMs: 1000,
    successThreshold: 1,
    failureThreshold: 3,
  });
});

const cases: readonly [string, string][] = [
  ['+', 'success'],
  ['-', 'unknown'],
  ['---', 'failure'],
  ['+--', 'success'],
  ['+---', 'failure'],
  ['--+--', 'success'],
  ['---+', 'success'],
];

for (const [results, expected] of cases) {
  test(`after ${results} the verdict is ${expected}`, () => {
    let count: ProbeCount = newCount;
    for (const result of results) count = countProbe(count, result === '+', probeTiming({}));
    assert.equal(count.verdict, expected);
  });
}
