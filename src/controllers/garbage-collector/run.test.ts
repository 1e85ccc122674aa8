import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../../api/core/config-map.ts';
import { nameOf } from '../../api/meta/object-meta.ts';
import type { ObjectMeta } from '../../api/meta/object-meta.ts';
import { Secret } from '../../api/core/secret.ts';
import { controllerReference } from '../../client/owners.ts';
import { startBench } from '../test-bench.ts';
import type { TestBench } from '../test-bench.ts';
import { startGarbageCollector } from './run.ts';

const namespace = 'default';

/** A chain: `top` owns `middle`, which owns `bottom`. */
async function chain({ api }: TestBench, metadata: Partial<ObjectMeta> = {}): Promise<void> {
  const top = await api.client.create(ConfigMap, { metadata: { name: 'top', namespace } });
  const ownerReferences = [controllerReference(ConfigMap, top)];
  const middle = await api.client.create(Secret, { metadata: { name: 'middle', namespace, ownerReferences } });
  const owner = [controllerReference(Secret, middle)];
  await api.client.create(ConfigMap, { metadata: { name: 'bottom', namespace, ownerReferences: owner, ...metadata } });
}

function names({ api }: TestBench): string[] {
  return [...api.objects(ConfigMap), ...api.objects(Secret)].map(nameOf).sort();
}

test('in the background the owner goes at once and everything below follows', async () => {
  await using bench = await startBench(startGarbageCollector);
  await chain(bench);
  await bench.api.client.delete(ConfigMap, 'top', { namespace });
  await bench.until(() => names(bench).length === 0);
});

test('in the foreground the owner goes last', async () => {
  await using bench = await startBench(startGarbageCollector);
  await chain(bench, { finalizers: ['example.com/hold'] });
  await bench.api.client.delete(ConfigMap, 'top', { namespace, propagationPolicy: 'Foreground' });
  const bottom = () => bench.api.objects(ConfigMap).find((object) => nameOf(object) === 'bottom');
  await bench.until(() => bottom()?.metadata.deletionTimestamp !== undefined);
  await bench.settled();
  assert.deepEqual(names(bench), ['bottom', 'middle', 'top']);
  const held = bottom();
  assert.ok(held);
  await bench.api.client.update(ConfigMap, { ...held, metadata: { ...held.metadata, finalizers: [] } });
  await bench.until(() => names(bench).length === 0);
});

test('orphans stay, without their owner', async () => {
  await using bench = await startBench(startGarbageCollector);
  await chain(bench);
  await bench.api.client.delete(ConfigMap, 'top', { namespace, propagationPolicy: 'Orphan' });
  await bench.until(() => names(bench).length === 2);
  await bench.settled();
  assert.deepEqual(names(bench), ['bottom', 'middle']);
  assert.deepEqual(bench.api.objects(Secret)[0]?.metadata.ownerReferences, []);
});

test('an object made with an owner that is gone goes; a namesake of the owner does not save it', async () => {
  await using bench = await startBench(startGarbageCollector);
  const { api } = bench;
  const made = await api.client.create(ConfigMap, { metadata: { name: 'top', namespace } });
  await api.client.delete(ConfigMap, 'top', { namespace });
  await api.client.create(ConfigMap, { metadata: { name: 'top', namespace } });
  const ownerReferences = [controllerReference(ConfigMap, made)];
  await api.client.create(Secret, { metadata: { name: 'child', namespace, ownerReferences } });
  await bench.until(() => api.objects(Secret).length === 0);
  assert.deepEqual(names(bench), ['top']);
});
