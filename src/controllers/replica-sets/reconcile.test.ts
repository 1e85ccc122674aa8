import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReplicaSet } from '../../api/apps/replica-set.ts';
import { podFixture } from '../fixtures.ts';
import type { PodFixture } from '../fixtures.ts';
import { nextAvailableInMs, planReplicas, podFrom, statusOf } from './reconcile.ts';
import { deletionOrder } from './ranking.ts';

const nowMs = Date.parse('2026-01-01T02:00:00Z');

function replicaSet(spec: Partial<ReplicaSet['spec']> = {}): ReplicaSet {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  return {
    metadata: { name: 'web', namespace: 'default', uid: 'rs', generation: 3 },
    spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template, ...spec },
  };
}

function input(fixtures: readonly PodFixture[], spec: Partial<ReplicaSet['spec']> = {}) {
  return { replicaSet: replicaSet(spec), pods: fixtures.map(podFixture), siblingsOn: () => 0, nowMs };
}

const plans: readonly [string, readonly PodFixture[], number, readonly string[]][] = [
  ['creates what is missing', [{ name: 'a' }], 1, []],
  ['does nothing when the count is right', [{ name: 'a' }, { name: 'b', ready: false }], 0, []],
  [
    'replaces Pods that leave or have finished',
    [
      { name: 'a', deleting: true },
      { name: 'b', phase: 'Failed' },
    ],
    2,
    [],
  ],
  ['deletes what is too many', [{ name: 'a' }, { name: 'b', ready: false }, { name: 'c' }], 0, ['b']],
];
for (const [title, pods, create, deleted] of plans) {
  test(`a ReplicaSet of two ${title}`, () => {
    const plan = planReplicas(input(pods));
    assert.equal(plan.create, create);
    assert.deepEqual(
      plan.delete.map(({ metadata }) => metadata.name),
      deleted,
    );
  });
}

test('one pass creates no more than 500', () => {
  assert.equal(planReplicas(input([], { replicas: 2000 })).create, 500);
});

test('one that is being deleted does nothing', () => {
  const owner = replicaSet();
  const leaving = { ...owner, metadata: { ...owner.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  assert.deepEqual(planReplicas({ ...input([]), replicaSet: leaving }), { create: 0, delete: [] });
});

const rankings: readonly [string, PodFixture, PodFixture][] = [
  ['not placed before placed', { node: '' }, {}],
  ['pending before running', { phase: 'Pending' }, {}],
  ['not ready before ready', { ready: false }, {}],
  [
    'the cheaper by annotation',
    { metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-5' } } },
    {},
  ],
  ['the one with siblings on its Node', { node: 'crowded' }, { node: 'lonely' }],
  ['ready for seconds before ready for hours', { since: '2026-01-01T01:59:58Z' }, {}],
  ['the younger', { metadata: { creationTimestamp: '2026-01-01T01:59:00Z' } }, {}],
];
for (const [title, first, second] of rankings) {
  test(`what goes first: ${title}`, () => {
    // The name that loses a tie is given to the one that should win.
    const pods = [podFixture({ ...second, name: 'a-stays' }), podFixture({ ...first, name: 'z-goes' })];
    const order = deletionOrder(pods, (node) => (node === 'crowded' ? 3 : 1), nowMs);
    assert.deepEqual(
      order.map(({ metadata }) => metadata.name?.slice(2)),
      ['goes', 'stays'],
    );
  });
}

test('of two Pods the one restarted more often goes first', () => {
  const restarted = (name: string, restartCount: number) => {
    const pod = podFixture({ name });
    const container = { name: 'c', ready: true, restartCount, image: 'i', imageID: '' };
    return { ...pod, status: { ...pod.status, containerStatuses: [container] } };
  };
  const order = deletionOrder([restarted('a', 0), restarted('b', 4)], () => 0, nowMs);
  assert.equal(order[0]?.metadata.name, 'b');
});

test('a new Pod has the template, a generated name and its owner', () => {
  const pod = podFrom(replicaSet());
  assert.deepEqual(pod.metadata, {
    generateName: 'web-',
    namespace: 'default',
    labels: { app: 'web' },
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs', controller: true, blockOwnerDeletion: true },
    ],
  });
});

test('the status counts Pods, and availability waits for minReadySeconds', () => {
  const pods: readonly PodFixture[] = [
    { name: 'old' },
    { name: 'fresh', since: '2026-01-01T01:59:55Z' },
    { name: 'unready', ready: false, labels: {} },
    { name: 'leaving', deleting: true },
    { name: 'done', phase: 'Succeeded' },
  ];
  const given = input(pods, { minReadySeconds: 10 });
  assert.deepEqual(statusOf(given, undefined), {
    replicas: 3,
    fullyLabeledReplicas: 2,
    readyReplicas: 2,
    availableReplicas: 1,
    terminatingReplicas: 1,
    observedGeneration: 3,
    conditions: undefined,
  });
  assert.equal(nextAvailableInMs(given), 5000);
  assert.equal(nextAvailableInMs(input(pods)), undefined);
});

test('a failure shows as a condition until a pass works', () => {
  const failure = { reason: 'FailedCreate' as const, message: 'no' };
  const failed = statusOf(input([]), failure);
  assert.deepEqual(failed.conditions, [
    { type: 'ReplicaFailure', status: 'True', lastTransitionTime: '2026-01-01T02:00:00Z', ...failure },
  ]);
  const before = { ...input([]), replicaSet: { ...replicaSet(), status: failed } };
  const later = { ...before, nowMs: nowMs + 60_000 };
  assert.deepEqual(statusOf(later, failure).conditions, failed.conditions, 'the same failure is no transition');
  assert.equal(statusOf(later, undefined).conditions, undefined);
});
