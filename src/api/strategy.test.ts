import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deployment } from './apps/deployment.ts';
import { ConfigMap } from './core/config-map.ts';
import { Event } from './events/event.ts';
import { generatedName, prepareCreate, prepareUpdate } from './strategy.ts';

const birth = { uid: 'u1', now: 1_700_000_000_000 };

test('a new object gets uid and time, and loses what only the server may say', () => {
  const object: ConfigMap = {
    metadata: { name: 'a', uid: 'mine', deletionTimestamp: 'x', selfLink: '/a', resourceVersion: '7', generation: 9 },
  };
  assert.deepEqual(prepareCreate(ConfigMap, object, birth).metadata, {
    name: 'a',
    uid: 'u1',
    creationTimestamp: '2023-11-14T22:13:20Z',
  });
});

test('a new object has no status yet, and generation 1 where generations count', () => {
  const deployment: Deployment = {
    metadata: { name: 'a' },
    spec: { selector: {}, template: {} },
    status: { replicas: 3 },
  };
  const created = prepareCreate(Deployment, deployment, birth);
  assert.equal(created.status, undefined);
  assert.equal(created.metadata.generation, 1);
});

test('uid, times and generation survive whatever a client sends', () => {
  const old: ConfigMap = { metadata: { name: 'a', uid: 'u1', creationTimestamp: 't', deletionTimestamp: 'd' } };
  const sent: ConfigMap = { metadata: { name: 'a', uid: 'x', labels: { a: 'b' } }, data: { c: 'd' } };
  assert.deepEqual(prepareUpdate(ConfigMap, sent, old), {
    metadata: { name: 'a', labels: { a: 'b' }, uid: 'u1', creationTimestamp: 't', deletionTimestamp: 'd' },
    data: { c: 'd' },
  });
});

test('a status write takes the status and annotations only', () => {
  const old: Deployment = {
    metadata: { name: 'a', labels: { a: '1' } },
    spec: { replicas: 1, selector: {}, template: {} },
  };
  const sent: Deployment = {
    metadata: { name: 'a', labels: { a: '2' }, annotations: { x: 'y' } },
    spec: { replicas: 5, selector: {}, template: {} },
    status: { replicas: 1 },
  };
  const written = prepareUpdate(Deployment, sent, old, 'status');
  assert.equal(written.spec.replicas, 1);
  assert.deepEqual(written.status, { replicas: 1 });
  assert.deepEqual(written.metadata, { name: 'a', annotations: { x: 'y' }, labels: { a: '1' } });
});

test('generated names are the prefix and five letters, 63 at most', () => {
  assert.equal(
    generatedName('web-', () => 0),
    'web-bbbbb',
  );
  assert.equal(generatedName('a'.repeat(80), () => 0.999).length, 63);
});

test('an event of the events group is stored as a core event and comes back as it was', () => {
  const event: Event = {
    kind: 'Event',
    apiVersion: 'events.k8s.io/v1',
    metadata: { name: 'e', namespace: 'a' },
    eventTime: '2024-01-01T00:00:00.000000Z',
    regarding: { kind: 'Pod', name: 'p' },
    note: 'hello',
    reason: 'Why',
    reportingController: 'c.io/x',
    series: { count: 2, lastObservedTime: '2024-01-01T00:00:00.000000Z' },
    deprecatedCount: 3,
  };
  const stored = Event.toStored?.(event);
  assert.ok(stored);
  assert.deepEqual(Object.keys(stored).sort(), [
    'apiVersion',
    'count',
    'eventTime',
    'involvedObject',
    'kind',
    'message',
    'metadata',
    'reason',
    'reportingComponent',
    'series',
  ]);
  assert.deepEqual(Event.fromStored?.(stored), event);
});
