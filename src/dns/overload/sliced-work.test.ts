import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SlicedWork } from './sliced-work.ts';

/** Work of so many pieces of half a millisecond. */
function workOf(count: number) {
  let left = count;
  const work = new SlicedWork(() => {
    if (left === 0) return false;
    left -= 1;
    for (const endMs = performance.now() + 0.5; performance.now() < endMs;);
    return true;
  });
  return { work, left: () => left };
}

test('work of many pieces leaves the event loop to others after each millisecond, and is done in the end', async () => {
  const { work, left } = workOf(20);
  work.schedule();
  let turns = 0;
  while (left() > 0) {
    const before = left();
    await nextTurn();
    assert.ok(before - left() <= 2, `${before - left()} pieces in one turn`);
    turns += 1;
  }
  assert.ok(turns >= 10);
});

test('work that has to be finished is done at once', () => {
  const { work, left } = workOf(20);
  work.schedule();
  work.finish();
  assert.equal(left(), 0);
});
