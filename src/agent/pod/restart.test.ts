import assert from 'node:assert/strict';
import { test } from 'node:test';
import { raiseBackOff, restartAtMs } from './restart.ts';
import type { BackOff, ContainerState } from './state.ts';
import { newContainer } from './state.ts';

test('delays double from 10 s to 300 s', () => {
  let backOff: BackOff | undefined;
  const delays: number[] = [];
  for (let restart = 0; restart < 8; restart++) {
    backOff = raiseBackOff(backOff, restart * 1000);
    delays.push(backOff.delayMs / 1000);
  }
  assert.deepEqual(delays, [10, 20, 40, 80, 160, 300, 300, 300]);
});

test('a container that ran for more than ten minutes starts at once again, with the first delay', () => {
  const backOff = { delayMs: 160_000, atMs: 0 };
  const state: ContainerState = { ...newContainer, backOff };
  const exit = (finishedMs: number) => ({ code: 1, reason: 'Error', finishedMs, id: '' });
  assert.equal(restartAtMs(state, exit(600_000)), 760_000);
  assert.equal(restartAtMs(state, exit(600_001)), 600_001);
  assert.equal(raiseBackOff(backOff, 600_001).delayMs, 10_000);
});
