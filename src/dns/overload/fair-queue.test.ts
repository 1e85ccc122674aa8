import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairQueue } from './fair-queue.ts';

function all(queue: FairQueue<string>): string[] {
  const taken: string[] = [];
  for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item);
  return taken;
}

test('the newest of a client comes first, and clients take turns', () => {
  const queue = new FairQueue<string>(10);
  for (const item of ['a1', 'a2', 'a3', 'b1']) assert.equal(queue.push(item.charAt(0), item), undefined);
  assert.deepEqual(all(queue), ['a3', 'b1', 'a2', 'a1']);
  assert.equal(queue.size, 0);
});

test('when it is full the oldest of the client with the most goes, whoever comes', () => {
  const queue = new FairQueue<string>(4);
  for (const item of ['a1', 'a2', 'a3', 'b1']) queue.push(item.charAt(0), item);
  assert.equal(queue.push('c', 'c1'), 'a1');
  assert.equal(queue.push('a', 'a4'), 'a2');
  assert.equal(queue.size, 4);
  assert.deepEqual(all(queue), ['a4', 'b1', 'c1', 'a3']);
});

test('one client that asks all the time keeps none of the others out', () => {
  const queue = new FairQueue<string>(100);
  for (let number = 0; number < 10_000; number += 1) queue.push('flood', `flood ${number}`);
  for (let number = 0; number < 10; number += 1) queue.push('polite', `polite ${number}`);
  for (let number = 0; number < 10_000; number += 1) queue.push('flood', `flood again ${number}`);
  const first = Array.from({ length: 20 }, () => queue.take());
  assert.equal(first.filter((item) => item?.startsWith('polite')).length, 10);
});
