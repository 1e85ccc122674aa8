import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../observe/fake-clock.ts';
import type { Message } from '../wire/message.ts';
import { race } from './race.ts';
import type { Runner } from './race.ts';

const message: Message = {
  id: 1,
  flags: 0,
  rcode: 0,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
  edns: undefined,
};

/** Attempts that answer after some milliseconds, and the times at which they were started. */
function attempts(clock: FakeClock, answerAfterMs: readonly number[]) {
  const started: number[] = [];
  const runners = answerAfterMs.map((ms): Runner => ({
    patienceMs: 100,
    start(signal) {
      started.push(clock.monotonic());
      const { promise, resolve, reject } = Promise.withResolvers<Message>();
      clock.after(ms, () => resolve(message));
      signal.addEventListener('abort', () => reject(new Error('stopped')));
      return promise;
    },
  }));
  return { started, runners };
}

const never = Number.POSITIVE_INFINITY;

for (const [title, answerAfterMs, started, winner] of [
  ['an answer in time starts no other attempt', [50, 50], [0], 0],
  ['an attempt that keeps us waiting gets another beside it', [never, 50, 50], [0, 100], 1],
  ['a late answer of the first attempt counts', [120, 50], [0, 100], 0],
] as const) {
  test(title, async () => {
    const clock = new FakeClock(0);
    const all = attempts(clock, answerAfterMs);
    const result = race(all.runners, () => undefined, new AbortController(), clock);
    await clock.advance(1000);
    assert.deepEqual(await result, { message, runner: winner });
    assert.deepEqual(all.started, started);
  });
}
