import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Event } from '../../api/core/event.ts';
import { Node } from '../../api/core/node.ts';
import type { Node as NodeObject } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { nodeFixture, podFixture } from '../fixtures.ts';
import type { PodFixture } from '../fixtures.ts';
import { startBench } from '../test-bench.ts';
import { choosePlacement } from './reconcile.ts';
import { startPlacement } from './run.ts';

const ready = nodeFixture('n1', 'a');
const noExecute = { key: 'k', value: 'v', effect: 'NoExecute' as const };
const cases: readonly [string, PodFixture, readonly NodeObject[], string][] = [
  ['the Node with the fewest Pods', {}, [nodeFixture('busy'), nodeFixture('idle')], 'idle'],
  [
    'a Node that the selector matches',
    { spec: { nodeSelector: { 'topology.kubernetes.io/zone': 'a' } } },
    [nodeFixture('x'), ready],
    'n1',
  ],
  [
    'a tainted Node when the Pod tolerates it',
    { spec: { tolerations: [{ operator: 'Exists' }] } },
    [{ ...ready, spec: { taints: [noExecute] } }],
    'n1',
  ],
  ['nowhere without Nodes', {}, [], '0/0 nodes are available: no nodes are registered.'],
  [
    'nowhere, and every reason is said',
    {},
    [
      { ...ready, spec: { unschedulable: true } },
      { ...ready, status: {} },
      { ...ready, spec: { taints: [noExecute] } },
    ],
    '0/3 nodes are available: 1 node(s) had untolerated taint {k: v}, 1 node(s) were not ready, 1 node(s) were unschedulable.',
  ],
];
for (const [title, pod, nodes, expected] of cases) {
  test(`a Pod goes to ${title}`, () => {
    const placement = choosePlacement(podFixture(pod), nodes, (name) => (name === 'busy' ? 3 : 0));
    assert.equal(placement.ok ? placement.nodeName : placement.message, expected);
  });
}

test('a Pod that waits is told why, once, and placed when a Node comes', async () => {
  await using bench = await startBench(startPlacement);
  const { api } = bench;
  api.put(Pod, podFixture({ node: '', phase: 'Pending', ready: false }));
  await bench.until(() => api.objects(Event).length === 1);
  await bench.settled();
  const condition = api.objects(Pod)[0]?.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  assert.deepEqual([condition?.status, condition?.reason], ['False', 'Unschedulable']);
  api.put(Node, nodeFixture());
  await bench.until(() => api.objects(Pod)[0]?.spec.nodeName === 'n1');
  await bench.settled();
  assert.deepEqual(
    api
      .objects(Event)
      .map(({ reason }) => reason)
      .sort(),
    ['FailedScheduling', 'Scheduled'],
  );
});
