import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { PatientQuestions } from './patient-questions.ts';

/** `struct sockaddr_in` of 10.0.0.`last`. */
function peerOf(last: number, port = 5353): Buffer {
  return Buffer.from([2, 0, port >> 8, port & 255, 10, 0, 0, last, ...Buffer.alloc(8)]);
}

const packet = Buffer.from('question');

test('a client that floods waits for its own questions; others are taken up', async () => {
  const answered = new Map<number, number>();
  let dropped = 0;
  const questions = new PatientQuestions({
    answer: (_, peer) => {
      answered.set(peer[7] ?? 0, (answered.get(peer[7] ?? 0) ?? 0) + 1);
      return undefined;
    },
    drop: () => (dropped += 1),
  });
  for (let number = 0; number < 5000; number += 1) questions.add(packet, peerOf(1, number));
  for (let number = 0; number < 20; number += 1) questions.add(packet, peerOf(2));
  questions.finish();
  assert.equal(answered.get(2), 20);
  assert.equal(answered.get(1), 1004);
  assert.equal(dropped, 3996);
  await setImmediate();
});

test('a client whose questions nobody answers leaves room for others', async () => {
  let underWay = 0;
  let dropped = 0;
  const silent = Promise.withResolvers<void>();
  const questions = new PatientQuestions({
    answer: () => {
      underWay += 1;
      return silent.promise;
    },
    drop: () => (dropped += 1),
  });
  for (let round = 0; round < 10; round += 1) {
    for (let number = 0; number < 1000; number += 1) questions.add(packet, peerOf(1, number));
    questions.finish();
  }
  assert.equal(underWay, 1024);
  assert.equal(dropped, 10_000 - 1024);
  questions.add(packet, peerOf(2));
  questions.finish();
  assert.equal(underWay, 1025);
  silent.resolve();
  await setImmediate();
  questions.add(packet, peerOf(1));
  questions.finish();
  assert.equal(underWay, 1026);
});

test('what waits is taken up by itself', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let answered = 0;
  const questions = new PatientQuestions({
    answer() {
      answered += 1;
      if (answered === 100) resolve();
      return undefined;
    },
    drop: () => assert.fail(),
  });
  for (let number = 0; number < 100; number += 1) questions.add(packet, peerOf(1));
  assert.equal(answered, 0);
  await promise;
});
