import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { nodeFixture, podFixture } from '../fixtures.ts';
import { startBench } from '../test-bench.ts';
import { failedOrphan, surplusTerminated } from './reconcile.ts';
import { startPodGarbage } from './run.ts';

test('Pods of a Node that stays away go; while it may come back they stay', async () => {
  await using bench = await startBench(startPodGarbage);
  const { api } = bench;
  api.put(Node, nodeFixture());
  api.put(Pod, podFixture());
  api.remove(Node, 'n1');
  await bench.settled();
  assert.equal(api.objects(Pod).length, 1);
  bench.clock += 41_000;
  api.put(Pod, podFixture({ labels: { poke: 'x' } }));
  await bench.until(() => api.objects(Pod).length === 0);
});

test('a leaving Pod that was never placed, or whose Node is out of service, goes at once', async () => {
  await using bench = await startBench(startPodGarbage);
  const { api } = bench;
  api.put(Pod, podFixture({ name: 'unplaced', node: '', deleting: true }));
  const node = nodeFixture();
  const taints = [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' as const }];
  api.put(Node, { ...node, spec: { taints } });
  api.put(Pod, podFixture({ name: 'placed', deleting: true }));
  api.put(Pod, podFixture({ name: 'staying' }));
  await bench.until(() => api.objects(Pod).length === 1);
  assert.equal(api.objects(Pod)[0]?.metadata.name, 'staying');
});

test('of finished Pods the newest are kept', () => {
  const finished = (name: string, creationTimestamp: string) =>
    podFixture({ name, phase: 'Succeeded', metadata: { creationTimestamp } });
  const pods = [
    finished('b', '2026-01-02T00:00:00Z'),
    finished('a', '2026-01-01T00:00:00Z'),
    finished('c', '2026-01-03T00:00:00Z'),
    podFixture({ name: 'running' }),
  ];
  assert.deepEqual(
    surplusTerminated(pods, 2).map(({ metadata }) => metadata.name),
    ['a'],
  );
  assert.deepEqual(surplusTerminated(pods, 3), []);
});

test('a lost Pod is marked failed with the reason', () => {
  const failed = failedOrphan(podFixture(), 0);
  assert.equal(failed?.status?.phase, 'Failed');
  assert.equal(failed?.status?.conditions?.at(-1)?.reason, 'DeletionByPodGC');
  assert.equal(failedOrphan(podFixture({ phase: 'Succeeded' }), 0), undefined);
});
