import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorkQueue } from './work-queue.ts';
import type { WorkQueueOptions } from './work-queue.ts';

function setUp(work: WorkQueueOptions['work'], options: Partial<WorkQueueOptions> = {}) {
  const stop = new AbortController();
  const retry = { baseMs: 1, maxMs: 4 };
  return {
    stop,
    queue: createWorkQueue({ name: 'test', work, signal: stop.signal, retry, random: () => 0, ...options }),
  };
}

test('keys added together are worked on once each', async () => {
  const seen: string[] = [];
  const { queue } = setUp(async (key) => void seen.push(key));
  for (const key of ['a', 'b', 'a', 'b', 'a']) queue.add(key);
  assert.deepEqual(seen, [], 'work starts after the caller is done');
  await queue.idle();
  assert.deepEqual(seen, ['a', 'b']);
});

test('a key added while it is worked on runs again afterwards, never twice at a time', async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let active = 0;
  let runs = 0;
  const { queue } = setUp(async () => {
    assert.equal(++active, 1);
    await gates[runs++]?.promise;
    active--;
  });
  queue.add('a');
  await Promise.resolve();
  queue.add('a');
  queue.add('a');
  gates[0]?.resolve();
  gates[1]?.resolve();
  await queue.idle();
  assert.equal(runs, 2);
});

test('no more than the allowed number run at a time', async () => {
  let active = 0;
  let most = 0;
  const { queue } = setUp(
    async () => {
      most = Math.max(most, ++active);
      await Promise.resolve();
      active--;
    },
    { concurrency: 2 },
  );
  for (const key of ['a', 'b', 'c', 'd', 'e']) queue.add(key);
  await queue.idle();
  assert.equal(most, 2);
});

test('failed work is tried again until it works', async () => {
  let tries = 0;
  const done = Promise.withResolvers<void>();
  const { queue, stop } = setUp(async () => {
    if (++tries < 4) throw new Error('not yet');
    done.resolve();
  });
  queue.add('a');
  await done.promise;
  assert.equal(tries, 4);
  stop.abort();
});

test('of several delays for a key the earliest counts, and an add comes first', async () => {
  const seen: string[] = [];
  const done = Promise.withResolvers<void>();
  const { queue, stop } = setUp(async (key) => {
    seen.push(key);
    if (seen.length === 2) done.resolve();
  });
  queue.addAfter('a', 60_000);
  queue.addAfter('a', 1);
  queue.addAfter('b', 60_000);
  queue.add('b');
  await done.promise;
  assert.deepEqual(seen, ['b', 'a']);
  stop.abort();
});

test('work may ask to be looked at again', async () => {
  const done = Promise.withResolvers<void>();
  let runs = 0;
  const { queue, stop } = setUp(async () => {
    if (++runs === 1) return { againAfterMs: 1 };
    done.resolve();
    return undefined;
  });
  queue.add('a');
  await done.promise;
  stop.abort();
});

test('after the signal nothing starts, and disposal waits for what runs', async () => {
  const gate = Promise.withResolvers<void>();
  const seen: string[] = [];
  const { queue, stop } = setUp(async (key) => {
    seen.push(key);
    await gate.promise;
    seen.push(`${key} done`);
  });
  queue.add('a');
  await Promise.resolve();
  queue.add('b');
  queue.addAfter('c', 1);
  stop.abort();
  queue.add('d');
  gate.resolve();
  await queue[Symbol.asyncDispose]();
  assert.deepEqual(seen, ['a', 'a done']);
});
