import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHealth, renderHealth } from './health.ts';

test('a report is well only when every check is', async () => {
  const health = createHealth();
  health.register('ping', () => undefined);
  const store = health.register('store', async () => 'disk is full');
  health.register('caches', () => {
    throw new Error('not synced');
  });
  assert.equal(
    renderHealth(await health.report(), 'readyz'),
    '[+]ping ok\n[-]store failed: disk is full\n[-]caches failed: not synced\nreadyz check failed\n',
  );
  store[Symbol.dispose]();
  assert.equal((await health.report(['caches'])).ok, true);
});

test('a name is registered once', () => {
  const health = createHealth();
  health.register('ping', () => undefined);
  assert.throws(() => health.register('ping', () => undefined), /already registered/);
});
