import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Silence } from './silence.ts';

test('silence counts from the first question without an answer, however many follow', async () => {
  const { promise: silent, resolve } = Promise.withResolvers<string>();
  using silence = new Silence(200, () => resolve('silent'));
  await delay(100);
  silence.heard();
  const mark = silence.asked();
  await delay(100);
  silence.asked();
  assert.equal(silence.hasLasted(mark), true);
  assert.equal(await Promise.race([silent, delay(200, 'later')]), 'silent');
});

test('what is heard ends a silence, also of a question before', async () => {
  const { promise: silent, resolve } = Promise.withResolvers<string>();
  using silence = new Silence(200, () => resolve('silent'));
  const mark = silence.asked();
  await delay(100);
  silence.heard();
  assert.equal(silence.hasLasted(mark), false);
  assert.equal(await Promise.race([silent, delay(190, 'later')]), 'later');
});
