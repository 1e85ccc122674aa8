import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairSlots } from './fair-slots.ts';

const never = (): void => assert.fail('nothing is old enough');

/** How many slots a client gets when it takes all it can. */
function takeAll(slots: FairSlots, client: string): number {
  for (let taken = 0; ; taken += 1) if (slots.take(client, 0, never) === undefined) return taken;
}

test('a client alone gets half of the slots, and a second one half of the rest', () => {
  const slots = new FairSlots(90);
  assert.equal(takeAll(slots, 'a'), 45);
  assert.equal(takeAll(slots, 'b'), 23);
  assert.ok(takeAll(slots, 'c') > 10, 'a newcomer always finds some');
  assert.ok(slots.taken < 90);
});

test('clients that take them in turns get equal parts', () => {
  const slots = new FairSlots(100);
  const counts = { a: 0, b: 0, c: 0 };
  for (let round = 0; round < 100; round += 1) {
    for (const client of ['a', 'b', 'c'] as const) if (slots.take(client, 0, never) !== undefined) counts[client] += 1;
  }
  assert.deepEqual(counts, { a: 25, b: 25, c: 25 });
});

test('what is given back can be taken again, and giving back twice is once', () => {
  const slots = new FairSlots(2);
  const slot = slots.take('a', 0, never);
  assert.equal(slots.take('a', 0, never), undefined);
  slot?.giveBack();
  slot?.giveBack();
  assert.equal(slots.taken, 0);
  assert.ok(slots.take('a', 0, never));
});

test('what has waited for a second makes room for something newer of the same client, never of another', () => {
  const slots = new FairSlots(2);
  let givenUp = 0;
  slots.take('a', 0, () => (givenUp += 1));
  assert.equal(slots.take('a', 999, never), undefined);
  assert.ok(slots.take('a', 1000, never));
  assert.equal(givenUp, 1);
  assert.ok(slots.take('b', 1000, never));
  assert.equal(slots.take('c', 9000, never), undefined);
});
