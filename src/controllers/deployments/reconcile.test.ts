import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment, DeploymentSpec, DeploymentStatus } from '../../api/apps/deployment.ts';
import type { ReplicaSet } from '../../api/apps/replica-set.ts';
import { newestAnnotations } from './annotations.ts';
import { conditionOf } from './conditions.ts';
import { reconcileDeployment } from './reconcile.ts';
import { sameTemplate, templateHash } from './template-hash.ts';

const start = Date.parse('2026-01-01T00:00:00Z');

function template(image: string) {
  return { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } };
}

function deployment(spec: Partial<DeploymentSpec> = {}, status: DeploymentStatus = {}): Deployment {
  return {
    metadata: { name: 'web', namespace: 'default', uid: 'd', generation: 1, annotations: { team: 'shop' } },
    spec: {
      replicas: 4,
      selector: { matchLabels: { app: 'web' } },
      template: template('v1'),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      ...spec,
    },
    status,
  };
}

function replicaSet(
  image: string,
  replicas: number,
  revision: number,
  more: Partial<ReplicaSet['status']> = {},
): ReplicaSet {
  const sizes = { 'deployment.kubernetes.io/desired-replicas': '4', 'deployment.kubernetes.io/max-replicas': '5' };
  return {
    metadata: {
      name: `web-${image}`,
      uid: image,
      creationTimestamp: new Date(start + revision * 1000).toISOString(),
      annotations: { team: 'shop', 'deployment.kubernetes.io/revision': String(revision), ...sizes },
    },
    spec: { replicas, selector: {}, template: template(image) },
    status: { replicas, readyReplicas: replicas, availableReplicas: replicas, ...more },
  };
}

function plan(given: Deployment, replicaSets: readonly ReplicaSet[] = [], nowMs = start, oldPodsRun = false) {
  return reconcileDeployment({ deployment: given, replicaSets, oldPodsRun: () => oldPodsRun, nowMs });
}

/** `name=size` of every ReplicaSet that is resized. */
function resized({ update }: ReturnType<typeof plan>): string[] {
  return update.map(({ replicaSet }) => `${replicaSet.metadata.name}=${replicaSet.spec.replicas}`);
}

test('a new Deployment gets its first ReplicaSet with revision 1', () => {
  const { create, revision, status } = plan(deployment());
  const hash = templateHash(template('v1'));
  assert.equal(create?.metadata.name, `web-${hash}`);
  assert.equal(create?.spec.replicas, 4);
  assert.deepEqual(create?.spec.selector, { matchLabels: { app: 'web', 'pod-template-hash': hash } });
  assert.deepEqual(create?.spec.template?.metadata?.labels, { app: 'web', 'pod-template-hash': hash });
  assert.deepEqual(create?.metadata.annotations, {
    team: 'shop',
    'deployment.kubernetes.io/revision': '1',
    'deployment.kubernetes.io/desired-replicas': '4',
    'deployment.kubernetes.io/max-replicas': '5',
  });
  assert.equal(revision, '1');
  assert.equal(conditionOf(status.conditions, 'Progressing')?.reason, 'NewReplicaSetCreated');
  assert.equal(conditionOf(status.conditions, 'Available')?.status, 'False');
});

const rolling: readonly [string, readonly ReplicaSet[], readonly string[]][] = [
  ['the newest grows by the surge first', [replicaSet('v1', 4, 1), replicaSet('v2', 0, 2)], ['web-v2=1']],
  [
    'old ones shrink by what may be missing',
    [replicaSet('v1', 4, 1), replicaSet('v2', 1, 2, { availableReplicas: 0 })],
    ['web-v1=3'],
  ],
  [
    'nothing moves while too few are available',
    [replicaSet('v1', 3, 1), replicaSet('v2', 2, 2, { availableReplicas: 0 })],
    [],
  ],
  [
    'the last old one goes when the newest is available',
    [replicaSet('v1', 1, 1), replicaSet('v2', 4, 2)],
    ['web-v1=0'],
  ],
];
for (const [title, sets, expected] of rolling) {
  test(`rolling update: ${title}`, () => {
    const result = plan(deployment({ template: template('v2') }), sets);
    assert.equal(result.create, undefined);
    assert.deepEqual(resized(result), expected);
  });
}

test('Recreate: old Pods go first, all of them, and only then the new ones come', () => {
  const recreate = deployment({ template: template('v2'), strategy: { type: 'Recreate' } });
  assert.deepEqual(resized(plan(recreate, [replicaSet('v1', 4, 1)])), ['web-v1=0']);
  assert.equal(plan(recreate, [replicaSet('v1', 0, 1)], start, true).create, undefined);
  assert.equal(plan(recreate, [replicaSet('v1', 0, 1)]).create?.spec.replicas, 4);
});

test('a change of size resizes the only active ReplicaSet and its annotations', () => {
  const { update } = plan(deployment({ replicas: 7 }), [replicaSet('v1', 4, 1)]);
  assert.equal(update[0]?.replicaSet.spec.replicas, 7);
  assert.equal(update[0]?.replicaSet.metadata.annotations?.['deployment.kubernetes.io/desired-replicas'], '7');
});

test('a paused Deployment scales but does not roll out', () => {
  const paused = deployment({ paused: true, template: template('v2'), replicas: 6 });
  const result = plan(paused, [replicaSet('v1', 4, 1)]);
  assert.equal(result.create, undefined);
  assert.deepEqual(resized(result), ['web-v1=6']);
  assert.equal(conditionOf(result.status.conditions, 'Progressing')?.reason, 'DeploymentPaused');
  const resumed = plan(deployment({}, result.status), [replicaSet('v1', 4, 1)]);
  assert.equal(conditionOf(resumed.status.conditions, 'Progressing')?.reason, 'NewReplicaSetAvailable');
});

test('undo: the old ReplicaSet becomes the newest, with a new revision and its old one in its history', () => {
  const result = plan(deployment({ template: template('v1') }), [replicaSet('v1', 0, 1), replicaSet('v2', 4, 2)]);
  const [back] = result.update;
  assert.equal(back?.replicaSet.metadata.name, 'web-v1');
  assert.equal(back?.replicaSet.metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
  assert.equal(back?.replicaSet.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1');
  assert.equal(result.revision, '3');
});

test('the status counts what is there, and a complete rollout says so', () => {
  const { status, againAtMs } = plan(deployment(), [replicaSet('v1', 4, 1), replicaSet('v0', 0, 0)]);
  const { conditions, ...counts } = status;
  assert.deepEqual(counts, {
    observedGeneration: 1,
    replicas: 4,
    updatedReplicas: 4,
    readyReplicas: 4,
    availableReplicas: 4,
    unavailableReplicas: 0,
    terminatingReplicas: 0,
  });
  assert.deepEqual(
    conditions?.map(({ type, status, reason, message }) => [type, status, reason, message]),
    [
      ['Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.'],
      ['Progressing', 'True', 'NewReplicaSetAvailable', 'ReplicaSet "web-v1" has successfully progressed.'],
    ],
  );
  assert.equal(againAtMs, undefined);
});

test('a rollout that does not move in time is reported, and nothing is written again for it', () => {
  const sets = [replicaSet('v1', 4, 1, { availableReplicas: 0, readyReplicas: 0 })];
  const first = plan(deployment(), sets);
  assert.equal(first.againAtMs, start + 600_000);
  const waiting = plan(deployment({}, first.status), sets, start + 60_000);
  assert.deepEqual(waiting.status, first.status);
  const late = plan(deployment({}, first.status), sets, start + 600_000);
  const condition = conditionOf(late.status.conditions, 'Progressing');
  assert.deepEqual([condition?.status, condition?.reason], ['False', 'ProgressDeadlineExceeded']);
  assert.equal(condition?.message, 'ReplicaSet "web-v1" has timed out progressing.');
  assert.equal(late.againAtMs, undefined);
  assert.deepEqual(plan(deployment({}, late.status), sets, start + 700_000).status, late.status);
});

test("a ReplicaSet's failure shows on its Deployment", () => {
  const conditions = [{ type: 'ReplicaFailure', status: 'True' as const, reason: 'FailedCreate', message: 'quota' }];
  const { status } = plan(deployment(), [replicaSet('v1', 4, 1, { conditions })]);
  assert.equal(conditionOf(status.conditions, 'ReplicaFailure')?.message, 'quota');
});

test('history beyond its limit is deleted, oldest first, when the rollout is complete', () => {
  const sets = [replicaSet('a', 0, 1), replicaSet('b', 0, 2), replicaSet('c', 0, 3), replicaSet('v1', 4, 4)];
  const names = (limit: number) =>
    plan(deployment({ revisionHistoryLimit: limit }), sets).delete.map(({ metadata }) => metadata.name);
  assert.deepEqual(names(1), ['web-a', 'web-b']);
  assert.deepEqual(names(3), []);
});

test('a Deployment on its way out only shows its status', () => {
  const given = deployment({ template: template('v2') });
  const leaving = { ...given, metadata: { ...given.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  const { create, update, revision } = plan(leaving, [replicaSet('v1', 4, 1)]);
  assert.deepEqual([create, update, revision], [undefined, [], undefined]);
});

test('the hash names a template, whatever the order of its fields', () => {
  const a = { metadata: { labels: { x: '1', y: '2' } }, spec: { containers: [] } };
  const b = { spec: { containers: [] }, metadata: { labels: { y: '2', x: '1' } } };
  assert.equal(templateHash(a), templateHash(b));
  assert.notEqual(templateHash(a), templateHash(a, 1));
  assert.match(templateHash(a), /^[bcdfghjklmnpqrstvwxz2456789]+$/);
  const hashed = { ...a, metadata: { labels: { ...a.metadata.labels, 'pod-template-hash': 'abc' } } };
  assert.ok(sameTemplate(a, hashed));
});

test('a ReplicaSet copies annotations but for those with a meaning of their own', () => {
  const copied = newestAnnotations({}, { note: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{}' }, 2);
  assert.deepEqual(copied, { note: 'x', 'deployment.kubernetes.io/revision': '2' });
});
