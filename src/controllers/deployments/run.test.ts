import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deployment } from '../../api/apps/deployment.ts';
import { ReplicaSet } from '../../api/apps/replica-set.ts';
import { Event } from '../../api/core/event.ts';
import { Pod } from '../../api/core/pod.ts';
import { isPodActive } from '../pods.ts';
import { startReplicaSets } from '../replica-sets/run.ts';
import { startBench } from '../test-bench.ts';
import type { TestBench } from '../test-bench.ts';
import { startDeployments } from './run.ts';

function deployment(image: string, replicas = 3): Deployment {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } };
  const strategy = { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  return {
    metadata: { name: 'web', namespace: 'default' },
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template, strategy, progressDeadlineSeconds: 600 },
  };
}

/** Plays the agent: every Pod becomes ready as soon as it is seen. */
function playAgent({ api, caches }: TestBench): Disposable {
  return caches.of(Pod).subscribe((changes) => {
    for (const { current } of changes) {
      if (current === undefined || current.status?.phase === 'Running') continue;
      const ready = { type: 'Ready', status: 'True' as const, lastTransitionTime: '2026-01-01T00:00:00Z' };
      const status = { phase: 'Running' as const, conditions: [ready] };
      api.client.update(Pod, { ...current, status }, { subresource: 'status' }).catch(() => undefined);
    }
  });
}

function stored({ api }: TestBench): Deployment {
  const [found] = api.objects(Deployment);
  assert.ok(found);
  return found;
}

function isRolledOut(bench: TestBench, image: string): boolean {
  const { status, spec } = stored(bench);
  const active = bench.api.objects(Pod).filter(isPodActive);
  return (
    status?.availableReplicas === spec.replicas &&
    status?.replicas === spec.replicas &&
    active.length === spec.replicas &&
    active.every((pod) => pod.spec.containers[0]?.image === image)
  );
}

test('a rollout, a second one, an undo and a change of size, without ever too few or too many Pods', async () => {
  await using bench = await startBench(startDeployments, startReplicaSets);
  using _agent = playAgent(bench);
  const { api } = bench;
  await api.client.create(Deployment, deployment('v1'));
  await bench.until(() => isRolledOut(bench, 'v1'));
  let most = 0;
  let fewest = 99;
  using _watch = bench.caches.of(Pod).subscribe(() => {
    const ready = api.objects(Pod).filter((pod) => isPodActive(pod) && pod.status?.phase === 'Running').length;
    most = Math.max(most, api.objects(Pod).filter(isPodActive).length);
    fewest = Math.min(fewest, ready);
  });
  for (const image of ['v2', 'v3', 'v2']) {
    const current = stored(bench);
    await api.client.update(Deployment, {
      ...current,
      spec: { ...current.spec, template: deployment(image).spec.template },
    });
    await bench.until(() => isRolledOut(bench, image));
  }
  assert.deepEqual([fewest, most], [3, 4]);
  await bench.until(() => stored(bench).metadata.annotations?.['deployment.kubernetes.io/revision'] === '4');
  const revisions = api
    .objects(ReplicaSet)
    .map(({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision']);
  assert.deepEqual(revisions.sort(), ['1', '3', '4']);
  const current = stored(bench);
  await api.client.update(Deployment, { ...current, spec: { ...current.spec, replicas: 5 } });
  await bench.until(() => isRolledOut(bench, 'v2'));
  await bench.settled();
  const messages = api.objects(Event).filter(({ reason }) => reason === 'ScalingReplicaSet');
  assert.match(messages[0]?.message ?? '', /^Scaled (up|down) replica set web-\w+ from \d to \d$/);
});

test('a name that another template has taken is avoided', async () => {
  await using bench = await startBench(startDeployments);
  const { api } = bench;
  await api.client.create(Deployment, deployment('v1'));
  await bench.until(() => api.objects(ReplicaSet).length === 1);
  const name = api.objects(ReplicaSet)[0]?.metadata.name ?? '';
  await api.client.delete(Deployment, 'web', { namespace: 'default' });
  api.remove(ReplicaSet, name, 'default');
  const spec = { selector: { matchLabels: { other: 'x' } }, replicas: 0 };
  await api.client.create(ReplicaSet, { metadata: { name, namespace: 'default' }, spec });
  await api.client.create(Deployment, deployment('v1'));
  await bench.until(() => api.objects(ReplicaSet).length === 2);
  assert.equal(stored(bench).status?.collisionCount, 1);
});
