import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplicaSet } from '../../api/apps/replica-set.ts';
import { Event } from '../../api/core/event.ts';
import { Pod } from '../../api/core/pod.ts';
import { forbidden } from '../../api/errors.ts';
import { controllerOf } from '../../client/owners.ts';
import { podFixture } from '../fixtures.ts';
import { startBench } from '../test-bench.ts';
import { startReplicaSets } from './run.ts';
import { slowStart } from './slow-start.ts';

function replicaSet(replicas: number): ReplicaSet {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const spec = { replicas, selector: { matchLabels: { app: 'web' } }, template };
  return { metadata: { name: 'web', namespace: 'default' }, spec };
}

test('Pods are created, replaced and deleted without overshoot', async () => {
  await using bench = await startBench(startReplicaSets);
  const { api } = bench;
  await api.client.create(ReplicaSet, replicaSet(5));
  const stored = () => api.objects(ReplicaSet)[0];
  await bench.until(() => stored()?.status?.replicas === 5);
  await bench.settled();
  assert.equal(api.objects(Pod).length, 5);
  const victim = api.objects(Pod)[0];
  await api.client.delete(Pod, victim?.metadata.name ?? '', { namespace: 'default' });
  await bench.until(() => api.objects(Pod).length === 5 && api.objects(Pod)[0]?.metadata.uid !== victim?.metadata.uid);
  const current = stored();
  assert.ok(current);
  await api.client.update(ReplicaSet, { ...current, spec: { ...current.spec, replicas: 2 } });
  await bench.until(() => stored()?.status?.replicas === 2);
  await bench.settled();
  assert.equal(api.objects(Pod).length, 2);
  const created = api.calls.filter(({ verb, kind }) => verb === 'create' && kind === 'Pod');
  assert.equal(created.length, 6, 'five, and one replacement');
  const messages = api.objects(Event).map(({ reason }) => reason);
  assert.equal(messages.filter((reason) => reason === 'SuccessfulDelete').length, 3);
});

test('a matching Pod without a controller is adopted, one that no longer matches is released', async () => {
  await using bench = await startBench(startReplicaSets);
  const { api } = bench;
  api.put(Pod, podFixture({ name: 'loose' }));
  await api.client.create(ReplicaSet, replicaSet(1));
  const loose = () => api.objects(Pod).find(({ metadata }) => metadata.name === 'loose');
  await bench.until(() => controllerOf(loose() ?? { metadata: {} })?.name === 'web');
  assert.equal(api.objects(Pod).length, 1);
  const pod = loose();
  assert.ok(pod);
  await api.client.update(Pod, { ...pod, metadata: { ...pod.metadata, labels: { app: 'debug' } } });
  await bench.until(() => loose()?.metadata.ownerReferences?.length === 0 && api.objects(Pod).length === 2);
});

test('a refused creation is tried little, reported, and tried again', async () => {
  await using bench = await startBench(startReplicaSets);
  const { api } = bench;
  let refusals = 0;
  api.intercept = ({ verb, kind }) =>
    verb === 'create' && kind === 'Pod' && refusals++ < 2 ? forbidden(Pod, 'web-x', 'quota') : undefined;
  await api.client.create(ReplicaSet, replicaSet(4));
  await bench.until(() => api.objects(Pod).length === 4);
  await bench.until(() => api.objects(ReplicaSet)[0]?.status?.conditions === undefined);
  const failures = api.objects(Event).filter(({ reason }) => reason === 'FailedCreate');
  assert.match(failures[0]?.message ?? '', /^Error creating: pods "web-x" is forbidden: quota$/);
});

test('creation doubles its batches and stops at a failure', async () => {
  let calls = 0;
  await slowStart(10, async () => void calls++);
  assert.equal(calls, 10);
  calls = 0;
  const failing = slowStart(100, async () => {
    if (++calls > 1) throw new Error('no');
  });
  await assert.rejects(failing, /no/);
  assert.equal(calls, 3, 'one, then a batch of two');
});
