import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Silence } from './silence.ts';

test('a silence ends when nothing was heard for its whole time, each word begins it anew', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const silence = new Silence(500);
  let hasEnded = false;
  void silence.ended.then(() => (hasEnded = true));
  t.mock.timers.tick(499);
  silence.heard();
  t.mock.timers.tick(499);
  await Promise.resolve();
  assert.equal(hasEnded, false);
  t.mock.timers.tick(1);
  await Promise.resolve();
  assert.equal(hasEnded, true);
  silence.heard();
});

test('a silence ends with whoever listens', async () => {
  const silence = new Silence(60_000);
  silence[Symbol.dispose]();
  await silence.ended;
});
