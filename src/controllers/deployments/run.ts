import { Deployment } from '../../api/apps/deployment.ts';
import type { DeploymentStatus } from '../../api/apps/deployment.ts';
import { ReplicaSet } from '../../api/apps/replica-set.ts';
import { Pod } from '../../api/core/pod.ts';
import { isAlreadyExists } from '../../api/errors.ts';
import { keyOf, nameOf, namespaceOf } from '../../api/meta/object-meta.ts';
import { matchesLabels, selectorFromLabelSelector } from '../../api/selector.ts';
import type { Change } from '../../client/caches.ts';
import { controllerOf, controllerReference, controllerUids, isControlledBy } from '../../client/owners.ts';
import type { WorkResult } from '../../client/work-queue.ts';
import { adopted, claim, released } from '../claim.ts';
import { createShell, splitKey } from '../context.ts';
import type { ControllerContext } from '../context.ts';
import { sameJson } from '../../lib/json.ts';
import { isPodTerminal } from '../pods.ts';
import { unlessGone } from '../writes.ts';
import { revisionAnnotation } from './annotations.ts';
import { progressing, withCondition } from './conditions.ts';
import { reconcileDeployment } from './reconcile.ts';
import type { DeploymentPlan } from './reconcile.ts';
import { sizeOf } from './sizes.ts';
import { sameTemplate } from './template-hash.ts';

/** Rolls out every Deployment. */
export async function startDeployments(context: ControllerContext): Promise<AsyncDisposable> {
  const { caches, client, now } = context;
  const deployments = caches.of(Deployment);
  const replicaSets = caches.of(ReplicaSet);
  const pods = caches.of(Pod);
  const setsByController = replicaSets.index('controller-uid', controllerUids);
  const looseSets = replicaSets.index('no-controller', (set) => (controllerOf(set) ? [] : [namespaceOf(set)]));
  const podsByController = pods.index('controller-uid', controllerUids);
  const shell = createShell(context, 'deployments');
  const recorder = shell.recorder('deployment-controller');

  const queue = shell.queue(async (key) => {
    const { namespace, name } = splitKey(key);
    const deployment = deployments.get(name, namespace);
    return deployment === undefined ? undefined : step(deployment);
  });

  async function step(deployment: Deployment): Promise<WorkResult> {
    await claimSets(deployment);
    const plan = reconcileDeployment({
      deployment,
      replicaSets: setsByController(deployment.metadata.uid ?? ''),
      oldPodsRun: (old) => old.some(hasLivePods),
      nowMs: now(),
    });
    await writeSets(deployment, plan);
    const current = await writeRevision(deployment, plan.revision);
    await writeStatus(current, plan.status);
    return plan.againAtMs === undefined ? {} : { againAfterMs: Math.max(1, plan.againAtMs - now()) };
  }

  function hasLivePods(set: ReplicaSet): boolean {
    return podsByController(set.metadata.uid ?? '').some((pod) => !isPodTerminal(pod));
  }

  async function claimSets(deployment: Deployment): Promise<void> {
    const selector = selectorFromLabelSelector(deployment.spec.selector);
    const candidates = [...setsByController(deployment.metadata.uid ?? ''), ...looseSets(namespaceOf(deployment))];
    const matches = (set: ReplicaSet) => matchesLabels(selector, set.metadata.labels);
    const { adopt, release } = claim(deployment, candidates, matches);
    const reference = controllerReference(Deployment, deployment);
    await Promise.all([
      ...adopt.map((set) => client.update(ReplicaSet, adopted(set, reference))),
      ...release.map((set) => client.update(ReplicaSet, released(set, deployment.metadata.uid))),
    ]);
  }

  async function writeSets(deployment: Deployment, plan: DeploymentPlan): Promise<void> {
    await Promise.all([
      plan.create && createSet(deployment, plan.create),
      ...plan.update.map(({ replicaSet, from }) => updateSet(deployment, replicaSet, from)),
      ...plan.delete.map(deleteSet),
    ]);
  }

  async function updateSet(deployment: Deployment, set: ReplicaSet, from: number): Promise<void> {
    await client.update(ReplicaSet, set);
    if (sizeOf(set) !== from) reportScaling(deployment, set, from);
  }

  async function deleteSet(set: ReplicaSet): Promise<void> {
    const { namespace, uid } = set.metadata;
    await unlessGone(client.delete(ReplicaSet, nameOf(set), { namespace, preconditions: { uid } }));
  }

  async function createSet(deployment: Deployment, set: ReplicaSet): Promise<void> {
    try {
      await client.create(ReplicaSet, set);
      if (sizeOf(set) > 0) reportScaling(deployment, set, 0);
    } catch (error) {
      if (isAlreadyExists(error)) return resolveCollision(deployment, set);
      await reportFailedCreation(deployment, set, error);
      throw error;
    }
  }

  function reportScaling(deployment: Deployment, set: ReplicaSet, from: number): void {
    const direction = sizeOf(set) > from ? 'up' : 'down';
    const message = `Scaled ${direction} replica set ${nameOf(set)} from ${from} to ${sizeOf(set)}`;
    recorder.record(Deployment, deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message });
  }

  /** The name is taken: by our own, which the cache will show, or by another template with the same hash. */
  async function resolveCollision(deployment: Deployment, set: ReplicaSet): Promise<void> {
    const existing = await client.get(ReplicaSet, nameOf(set), { namespace: namespaceOf(set) });
    if (isControlledBy(existing, deployment) && sameTemplate(existing.spec.template, set.spec.template)) return;
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    const status = { ...deployment.status, collisionCount };
    await client.update(Deployment, { ...deployment, status }, { subresource: 'status' });
    throw new Error(`the name ${nameOf(set)} is taken by another ReplicaSet`);
  }

  async function reportFailedCreation(deployment: Deployment, set: ReplicaSet, error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `Failed to create new replica set ${JSON.stringify(nameOf(set))}: ${reason}`;
    recorder.record(Deployment, deployment, { type: 'Warning', reason: 'ReplicaSetCreateError', message });
    const failed = progressing('ReplicaSetCreateError', message, 'False');
    const conditions = withCondition(deployment.status?.conditions ?? [], failed, now());
    await writeStatus(deployment, { ...deployment.status, conditions });
  }

  /** The revision that `kubectl rollout history` shows; only this annotation is touched. */
  async function writeRevision(deployment: Deployment, revision: string | undefined): Promise<Deployment> {
    if (revision === undefined) return deployment;
    const { resourceVersion } = deployment.metadata;
    const body = { metadata: { resourceVersion, annotations: { [revisionAnnotation]: revision } } };
    const where = { namespace: namespaceOf(deployment) };
    return client.patch(Deployment, nameOf(deployment), { type: 'merge', body }, where);
  }

  async function writeStatus(deployment: Deployment, status: DeploymentStatus): Promise<void> {
    if (sameJson(status, deployment.status ?? {})) return;
    await client.update(Deployment, { ...deployment, status }, { subresource: 'status' });
  }

  function setChanged({ old, current }: Change<ReplicaSet>): void {
    for (const set of [old, current]) {
      const owner = set && controllerOf(set);
      if (set !== undefined && owner?.kind === 'Deployment') queue.add(`${namespaceOf(set)}/${owner.name}`);
    }
    if (current === undefined || controllerOf(current) !== undefined) return;
    for (const deployment of deployments.list(namespaceOf(current))) {
      const selector = selectorFromLabelSelector(deployment.spec.selector);
      if (matchesLabels(selector, current.metadata.labels)) queue.add(keyOf(deployment));
    }
  }

  /** Only `Recreate` waits for Pods themselves: for the last old one to be gone. */
  function podChanged({ old, current }: Change<Pod>): void {
    if (old === undefined || (current !== undefined && !isPodTerminal(current))) return;
    const owner = controllerOf(old);
    const set = owner?.kind === 'ReplicaSet' ? replicaSets.get(owner.name, namespaceOf(old)) : undefined;
    const deployment = set && controllerOf(set);
    if (deployment?.kind === 'Deployment') queue.add(`${namespaceOf(old)}/${deployment.name}`);
  }

  if (!(await shell.ready(deployments, replicaSets, pods))) return shell;
  shell.keep(
    deployments.subscribe((changes) => changes.forEach(({ current }) => current && queue.add(keyOf(current)))),
  );
  shell.keep(replicaSets.subscribe((changes) => changes.forEach(setChanged)));
  shell.keep(pods.subscribe((changes) => changes.forEach(podChanged)));
  return shell;
}
