import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Event } from '../../api/core/event.ts';
import { startBench } from '../test-bench.ts';
import { expiresAtMs } from './reconcile.ts';
import { startEventTtl } from './run.ts';

function event(name: string, lastTimestamp: string): Event {
  return { metadata: { name, namespace: 'default' }, involvedObject: { kind: 'Pod' }, lastTimestamp };
}

test('an Event that happened more than an hour ago goes', async () => {
  await using bench = await startBench(startEventTtl);
  const { api } = bench;
  await api.client.create(Event, event('fresh', '2026-01-01T01:30:00Z'));
  api.put(Event, {
    ...event('old', '2026-01-01T00:59:00Z'),
    metadata: { name: 'old', namespace: 'default', creationTimestamp: '2026-01-01T00:30:00Z' },
  });
  await bench.until(() => api.objects(Event).length === 1);
  assert.equal(api.objects(Event)[0]?.metadata.name, 'fresh');
});

test('the last time counts', () => {
  const given = event('e', '2026-01-01T01:00:00Z');
  const hour = Date.parse('2026-01-01T02:00:00Z');
  assert.equal(expiresAtMs(given), hour);
  assert.equal(
    expiresAtMs({ ...given, series: { count: 2, lastObservedTime: '2026-01-01T02:00:00.000000Z' } }),
    hour + 3_600_000,
  );
});
