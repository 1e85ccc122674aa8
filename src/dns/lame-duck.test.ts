import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../observe/clock.ts';
import { lameDuck } from './lame-duck.ts';

async function stay(options: Partial<Parameters<typeof lameDuck>[0]>): Promise<number> {
  const startMs = performance.now();
  await lameDuck({ clock: systemClock, mostMs: 10_000, isAdvertised: () => false, queries: () => 0, ...options });
  return performance.now() - startMs;
}

test('a server without clients leaves after a quiet second', async () => {
  const tookMs = await stay({});
  assert.ok(tookMs >= 1000 && tookMs < 3000, `${tookMs} ms`);
});

test('it stays while the API sends clients here, and while clients ask', async () => {
  const startMs = performance.now();
  let asked = 0;
  const tookMs = await stay({
    isAdvertised: () => performance.now() - startMs < 700,
    queries: () => (performance.now() - startMs < 1500 ? (asked += 1) : asked),
  });
  assert.ok(tookMs >= 2300, `${tookMs} ms`);
});

test('it leaves at the end of its time, whatever happens', async () => {
  const tookMs = await stay({ mostMs: 300, isAdvertised: () => true });
  assert.ok(tookMs >= 300 && tookMs < 2000, `${tookMs} ms`);
});
