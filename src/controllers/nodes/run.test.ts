import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lease } from '../../api/coordination/lease.ts';
import { Event } from '../../api/core/event.ts';
import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { nodeFixture, podFixture } from '../fixtures.ts';
import { readyCondition } from '../pods.ts';
import { startBench } from '../test-bench.ts';
import type { TestBench } from '../test-bench.ts';
import { nodeReadiness } from './reconcile.ts';
import { startNodes } from './run.ts';

/** The only Node, changed in a way that says nothing about its health: makes the controller look. */
async function poke({ api }: TestBench, mark: string): Promise<void> {
  const [node] = api.objects(Node);
  assert.ok(node);
  await api.client.update(Node, { ...node, metadata: { ...node.metadata, labels: { mark } } });
}

function renew({ api, clock }: TestBench): void {
  const renewTime = new Date(clock).toISOString();
  api.put(Lease, { metadata: { name: 'n1', namespace: 'kube-node-lease' }, spec: { renewTime } });
}

function taints({ api }: TestBench): string[] {
  return (api.objects(Node)[0]?.spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
}

test('a silent Node becomes Unknown, its Pods unready at once, and after five minutes they go', async () => {
  await using bench = await startBench(startNodes);
  const { api } = bench;
  api.put(Node, nodeFixture());
  renew(bench);
  api.put(Pod, podFixture());
  await bench.settled();
  bench.clock += 39_000;
  await poke(bench, 'early');
  await bench.settled();
  assert.equal(readyCondition(api.objects(Pod)[0] ?? podFixture())?.status, 'True');
  bench.clock += 2000;
  await poke(bench, 'late');
  await bench.until(() => readyCondition(api.objects(Pod)[0] ?? podFixture())?.status === 'False');
  const [node] = api.objects(Node);
  assert.ok(node);
  assert.equal(nodeReadiness(node), 'Unknown');
  assert.deepEqual(taints(bench), [
    'node.kubernetes.io/unreachable:NoSchedule',
    'node.kubernetes.io/unreachable:NoExecute',
  ]);
  bench.clock += 301_000;
  await poke(bench, 'later');
  await bench.until(() => api.objects(Pod)[0]?.metadata.deletionTimestamp !== undefined);
  await bench.settled();
  const reasons = new Set(api.objects(Event).map(({ reason }) => reason));
  assert.deepEqual([...reasons].sort(), ['NodeNotReady', 'TaintManagerEviction']);
});

test('a renewed lease keeps a Node alive, and taints go when it is ready again', async () => {
  await using bench = await startBench(startNodes);
  const { api } = bench;
  const node = api.put(Node, nodeFixture());
  renew(bench);
  await bench.settled();
  bench.clock += 35_000;
  renew(bench);
  await bench.settled();
  bench.clock += 10_000;
  await poke(bench, 'x');
  await bench.settled();
  assert.equal(nodeReadiness(api.objects(Node)[0] ?? node), 'True');
  const status = (value: 'True' | 'False') => ({ conditions: [{ type: 'Ready', status: value }] });
  await api.client.update(
    Node,
    { ...node, metadata: { name: 'n1' }, status: status('False') },
    { subresource: 'status' },
  );
  await bench.until(() => taints(bench).includes('node.kubernetes.io/not-ready:NoExecute'));
  await api.client.update(
    Node,
    { ...node, metadata: { name: 'n1' }, status: status('True') },
    { subresource: 'status' },
  );
  await bench.until(() => taints(bench).length === 0);
});

test('after the whole process slept nobody is declared dead', async () => {
  await using bench = await startBench(startNodes);
  const { api } = bench;
  const node = api.put(Node, nodeFixture());
  renew(bench);
  await bench.settled();
  bench.clock += 3_600_000;
  await poke(bench, 'awake');
  await bench.settled();
  assert.equal(nodeReadiness(api.objects(Node)[0] ?? node), 'True');
});
