import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../../api/core/config-map.ts';
import { Event } from '../../api/core/event.ts';
import { Namespace } from '../../api/core/namespace.ts';
import { Pod } from '../../api/core/pod.ts';
import { podFixture } from '../fixtures.ts';
import { startBench } from '../test-bench.ts';
import { deletionConditions } from './reconcile.ts';
import { startNamespaces } from './run.ts';

test('a deleted Namespace is emptied, waits for what takes time, says so, and goes', async () => {
  await using bench = await startBench(startNamespaces);
  const { api } = bench;
  await api.client.create(Namespace, { metadata: { name: 'shop' }, spec: {} });
  await api.client.create(ConfigMap, { metadata: { name: 'a', namespace: 'shop' } });
  await api.client.create(ConfigMap, { metadata: { name: 'elsewhere', namespace: 'default' } });
  const involvedObject = { kind: 'Pod' };
  await api.client.create(Event, { metadata: { name: 'e', namespace: 'shop' }, involvedObject });
  const pod = podFixture();
  api.put(Pod, { ...pod, metadata: { ...pod.metadata, namespace: 'shop' } });
  await api.client.delete(Namespace, 'shop');
  const condition = () =>
    api.objects(Namespace)[0]?.status?.conditions?.find(({ type }) => type === 'NamespaceContentRemaining');
  await bench.until(() => condition()?.status === 'True');
  assert.equal(condition()?.message, 'Some resources are remaining: pods. has 1 resource instances');
  assert.equal(api.objects(Event).length, 0);
  await api.client.delete(Pod, 'web-1', { namespace: 'shop', gracePeriodSeconds: 0 });
  await bench.until(() => api.objects(Namespace).length === 0);
  assert.equal(api.objects(ConfigMap).length, 1);
});

test('conditions name finalizers and failures', () => {
  const namespace: Namespace = { metadata: { name: 'shop' }, spec: {} };
  const held = { metadata: { finalizers: ['x/y'] } };
  const remaining = [{ kind: { plural: 'services', group: '' }, objects: [held, held] }];
  const messages = deletionConditions(namespace, remaining, ['no'], 0).map(({ message }) => message);
  assert.deepEqual(messages.slice(2), [
    'no',
    'Some resources are remaining: services. has 2 resource instances',
    'Some content in the namespace has finalizers remaining: x/y in 2 resource instances',
  ]);
});
