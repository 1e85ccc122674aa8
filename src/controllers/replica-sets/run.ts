import { ReplicaSet } from '../../api/apps/replica-set.ts';
import { Pod } from '../../api/core/pod.ts';
import { ApiError, isNotFound } from '../../api/errors.ts';
import { keyOf, nameOf, namespaceOf } from '../../api/meta/object-meta.ts';
import { matchesLabels, selectorFromLabelSelector } from '../../api/selector.ts';
import type { Change } from '../../client/caches.ts';
import type { WorkResult } from '../../client/work-queue.ts';
import { controllerOf, controllerReference, controllerUids } from '../../client/owners.ts';
import { createShell, splitKey } from '../context.ts';
import type { ControllerContext } from '../context.ts';
import { sameJson } from '../../lib/json.ts';
import { isPodActive } from '../pods.ts';
import { adopted, claim, released } from '../claim.ts';
import { nextAvailableInMs, planReplicas, podFrom, statusOf } from './reconcile.ts';
import type { ReplicaFailure, ReplicaSetInput, ReplicaSetPlan } from './reconcile.ts';
import { slowStart } from './slow-start.ts';

/** Keeps the number of Pods of every ReplicaSet. */
export async function startReplicaSets(context: ControllerContext): Promise<AsyncDisposable> {
  const { caches, client, now } = context;
  const replicaSets = caches.of(ReplicaSet);
  const pods = caches.of(Pod);
  const podsByController = pods.index('controller-uid', controllerUids);
  const loosePods = pods.index('no-controller', (pod) => (controllerOf(pod) ? [] : [namespaceOf(pod)]));
  const setsByController = replicaSets.index('controller-uid', controllerUids);
  const shell = createShell(context, 'replica-sets');
  const recorder = shell.recorder('replicaset-controller');

  const queue = shell.queue(async (key) => {
    const { namespace, name } = splitKey(key);
    const replicaSet = replicaSets.get(name, namespace);
    return replicaSet === undefined ? undefined : reconcile(replicaSet);
  });

  async function reconcile(replicaSet: ReplicaSet): Promise<WorkResult> {
    await claimPods(replicaSet);
    const failure = await carryOut(replicaSet, planReplicas(inputOf(replicaSet)));
    const input = inputOf(replicaSet);
    await writeStatus(replicaSet, input, failure?.shown);
    if (failure !== undefined) throw failure.error;
    return { againAfterMs: nextAvailableInMs(input) };
  }

  function inputOf(replicaSet: ReplicaSet): ReplicaSetInput {
    const matches = selectedBy(replicaSet);
    const owned = podsByController(replicaSet.metadata.uid ?? '').filter(matches);
    return { replicaSet, pods: owned, siblingsOn: siblingCount(replicaSet), nowMs: now() };
  }

  /** Counted only when asked: ranking is needed only to scale down. */
  function siblingCount(replicaSet: ReplicaSet): (node: string) => number {
    let counts: Map<string, number> | undefined;
    return (node) => {
      counts ??= countByNode(replicaSet);
      return counts.get(node) ?? 0;
    };
  }

  function countByNode(replicaSet: ReplicaSet): Map<string, number> {
    const owner = controllerOf(replicaSet)?.uid;
    const family = owner === undefined ? [replicaSet] : setsByController(owner);
    const counts = new Map<string, number>();
    for (const pod of family.flatMap((each) => podsByController(each.metadata.uid ?? '')).filter(isPodActive)) {
      counts.set(pod.spec.nodeName ?? '', (counts.get(pod.spec.nodeName ?? '') ?? 0) + 1);
    }
    return counts;
  }

  async function claimPods(replicaSet: ReplicaSet): Promise<void> {
    const candidates = [...podsByController(replicaSet.metadata.uid ?? ''), ...loosePods(namespaceOf(replicaSet))];
    const { adopt, release } = claim(replicaSet, candidates, selectedBy(replicaSet));
    const reference = controllerReference(ReplicaSet, replicaSet);
    await Promise.all([
      ...adopt.map((pod) => client.update(Pod, adopted(pod, reference))),
      ...release.map((pod) => client.update(Pod, released(pod, replicaSet.metadata.uid))),
    ]);
  }

  async function carryOut(replicaSet: ReplicaSet, plan: ReplicaSetPlan): Promise<Failure | undefined> {
    try {
      if (plan.create > 0) await slowStart(plan.create, () => createPod(replicaSet));
      if (plan.delete.length > 0) await Promise.all(plan.delete.map((pod) => deletePod(replicaSet, pod)));
      return undefined;
    } catch (error) {
      if (isNamespaceTerminating(error)) return undefined;
      const message = error instanceof Error ? error.message : String(error);
      const reason = plan.create > 0 ? 'FailedCreate' : 'FailedDelete';
      return { error, shown: { reason, message } };
    }
  }

  async function createPod(replicaSet: ReplicaSet): Promise<void> {
    try {
      const pod = await client.create(Pod, podFrom(replicaSet));
      const message = `Created pod: ${nameOf(pod)}`;
      recorder.record(ReplicaSet, replicaSet, { type: 'Normal', reason: 'SuccessfulCreate', message });
    } catch (error) {
      const message = `Error creating: ${error instanceof Error ? error.message : error}`;
      if (!isNamespaceTerminating(error)) {
        recorder.record(ReplicaSet, replicaSet, { type: 'Warning', reason: 'FailedCreate', message });
      }
      throw error;
    }
  }

  async function deletePod(replicaSet: ReplicaSet, pod: Pod): Promise<void> {
    const { namespace, uid } = pod.metadata;
    try {
      await client.delete(Pod, nameOf(pod), { namespace, preconditions: { uid } });
      const message = `Deleted pod: ${nameOf(pod)}`;
      recorder.record(ReplicaSet, replicaSet, { type: 'Normal', reason: 'SuccessfulDelete', message });
    } catch (error) {
      if (isNotFound(error)) return;
      const message = `Error deleting: ${error instanceof Error ? error.message : error}`;
      recorder.record(ReplicaSet, replicaSet, { type: 'Warning', reason: 'FailedDelete', message });
      throw error;
    }
  }

  async function writeStatus(replicaSet: ReplicaSet, input: ReplicaSetInput, failure: ReplicaFailure | undefined) {
    const status = statusOf(input, failure);
    if (sameJson(status, replicaSet.status ?? {})) return;
    await client.update(ReplicaSet, { ...replicaSet, status }, { subresource: 'status' });
  }

  function podChanged({ old, current }: Change<Pod>): void {
    for (const pod of [old, current]) {
      const owner = pod && controllerOf(pod);
      if (pod !== undefined && owner?.kind === 'ReplicaSet') queue.add(`${namespaceOf(pod)}/${owner.name}`);
    }
    if (current !== undefined && controllerOf(current) === undefined) addMatching(current);
  }

  /** A Pod without a controller may be adopted. */
  function addMatching(pod: Pod): void {
    const sets = replicaSets.list(namespaceOf(pod));
    for (const replicaSet of sets.filter((each) => selectedBy(each)(pod))) queue.add(keyOf(replicaSet));
  }

  if (!(await shell.ready(replicaSets, pods))) return shell;
  shell.keep(
    replicaSets.subscribe((changes) => changes.forEach(({ current }) => current && queue.add(keyOf(current)))),
  );
  shell.keep(pods.subscribe((changes) => changes.forEach(podChanged)));
  return shell;
}

interface Failure {
  readonly error: unknown;
  readonly shown: ReplicaFailure;
}

function selectedBy({ spec }: ReplicaSet): (pod: Pod) => boolean {
  const selector = selectorFromLabelSelector(spec.selector);
  return (pod) => matchesLabels(selector, pod.metadata.labels);
}

/** The server refuses new objects there; the Pods will go with their namespace. */
function isNamespaceTerminating(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') ?? false;
}
