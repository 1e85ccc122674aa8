import { Deployment } from '../../api/apps/deployment.ts';
import type { DeploymentStatus } from '../../api/apps/deployment.ts';
import type { ReplicaSet } from '../../api/apps/replica-set.ts';
import { controllerReference } from '../../client/owners.ts';
import { sameJson } from '../../lib/json.ts';
import {
  desiredReplicasAnnotation,
  hashLabel,
  newestAnnotations,
  revisionAnnotation,
  revisionOf,
  sizeAnnotations,
} from './annotations.ts';
import {
  availableCondition,
  conditionOf,
  deadlineMs,
  failureConditions,
  hasDeadline,
  isComplete,
  pauseConditions,
  progressConditions,
  progressing,
  withCondition,
} from './conditions.ts';
import type { Conditions } from './conditions.ts';
import {
  boundsOf,
  newestSize,
  shrinkOld,
  sizeOf,
  spreadSize,
  totalAvailable,
  totalPods,
  totalReady,
  totalSize,
  totalTerminating,
} from './sizes.ts';
import type { Bounds, Resize } from './sizes.ts';
import { sameTemplate, templateHash } from './template-hash.ts';

export interface DeploymentInput {
  readonly deployment: Deployment;
  /** The ReplicaSets it owns. */
  readonly replicaSets: readonly ReplicaSet[];
  /** Does a Pod of an old ReplicaSet still run (or leave)? Asked only under `Recreate`. */
  readonly oldPodsRun: (old: readonly ReplicaSet[]) => boolean;
  readonly nowMs: number;
}

/**
 * One step of a rollout. Its writes are independent of each other; the next step is decided when they show in the cache.
 */
export interface DeploymentPlan {
  readonly create: ReplicaSet | undefined;
  /** ReplicaSets with new sizes or annotations, with their revisions; `from` is the size they had. */
  readonly update: readonly { readonly replicaSet: ReplicaSet; readonly from: number }[];
  readonly delete: readonly ReplicaSet[];
  /** The Deployment's own revision annotation, when it has to change. */
  readonly revision: string | undefined;
  readonly status: DeploymentStatus;
  /** Look again then, in Unix milliseconds: a deadline may pass without an event. */
  readonly againAtMs: number | undefined;
}

/** A Deployment with its ReplicaSets sorted out. */
interface Rollout extends DeploymentInput {
  readonly bounds: Bounds;
  readonly newest: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
  readonly revision: number;
}

/** What a step does to the ReplicaSets. */
interface Step {
  readonly create?: ReplicaSet;
  readonly resize?: readonly Resize[];
  readonly delete?: readonly ReplicaSet[];
}

/** The next step of the Deployment. */
export function reconcileDeployment(input: DeploymentInput): DeploymentPlan {
  const rollout = rolloutOf(input);
  const step = input.deployment.metadata.deletionTimestamp ? {} : chooseStep(rollout);
  const update = updatesOf(rollout, step.resize ?? []);
  const status = statusOf(rollout, step);
  return {
    create: step.create,
    update,
    delete: step.delete ?? [],
    revision: deploymentRevision(rollout, step),
    status,
    againAtMs: deadlineMs(input.deployment, status.conditions ?? []),
  };
}

function rolloutOf(input: DeploymentInput): Rollout {
  const { deployment, replicaSets } = input;
  const oldestFirst = replicaSets.toSorted((a, b) =>
    (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''),
  );
  const newest = oldestFirst.find(({ spec }) => sameTemplate(spec.template, deployment.spec.template));
  const old = oldestFirst.filter((set) => set !== newest);
  const revision = Math.max(0, ...old.map(({ metadata }) => revisionOf(metadata.annotations))) + 1;
  return { ...input, bounds: boundsOf(deployment), newest, old, revision };
}

function chooseStep(rollout: Rollout): Step {
  const { deployment, newest } = rollout;
  if (deployment.spec.paused || isScaling(rollout)) {
    return { resize: spreadSize(rollout.bounds, newest, rollout.old), ...cleanUp(rollout, deployment.spec.paused) };
  }
  return deployment.spec.strategy?.type === 'Recreate' ? recreateStep(rollout) : rollingStep(rollout);
}

/** The Deployment's size changed since its ReplicaSets were sized. */
function isScaling({ newest, old, bounds }: Rollout): boolean {
  return [...old, ...(newest === undefined ? [] : [newest])].some((set) => {
    const annotated = set.metadata.annotations?.[desiredReplicasAnnotation];
    return sizeOf(set) > 0 && annotated !== undefined && Number(annotated) !== bounds.desired;
  });
}

function recreateStep(rollout: Rollout): Step {
  const { bounds, newest, old } = rollout;
  const active = old.filter((set) => sizeOf(set) > 0);
  if (active.length > 0) return { resize: active.map((replicaSet) => ({ replicaSet, replicas: 0 })) };
  if (totalPods(old) > 0 || rollout.oldPodsRun(old)) return {};
  if (newest === undefined) return { create: newReplicaSet(rollout, bounds.desired) };
  const resize = [{ replicaSet: newest, replicas: bounds.desired }];
  return { resize, ...cleanUp(rollout, isComplete(rollout.deployment, statusOf(rollout, {}))) };
}

function rollingStep(rollout: Rollout): Step {
  const { bounds, newest, old } = rollout;
  if (newest === undefined) return { create: newReplicaSet(rollout, newestSize(bounds, old, 0, false)) };
  const replicas = newestSize(bounds, [...old, newest], sizeOf(newest), false);
  if (replicas !== sizeOf(newest)) return { resize: [{ replicaSet: newest, replicas }] };
  const shrunk = shrinkOld(bounds, newest, old);
  if (shrunk.length > 0) return { resize: shrunk };
  return cleanUp(rollout, isComplete(rollout.deployment, statusOf(rollout, {})));
}

/** Old ReplicaSets beyond the history that is kept, when it is time to tidy. */
function cleanUp({ deployment, old }: Rollout, isTime: boolean | undefined): Step {
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  if (!isTime) return {};
  const oldestFirst = old
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => revisionOf(a.metadata.annotations) - revisionOf(b.metadata.annotations));
  const surplus = oldestFirst.slice(0, Math.max(0, oldestFirst.length - limit));
  return { delete: surplus.filter(isEmpty) };
}

function isEmpty({ metadata, spec, status }: ReplicaSet): boolean {
  const isObserved = (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0);
  return (spec.replicas ?? 1) === 0 && (status?.replicas ?? 0) === 0 && isObserved;
}

function newReplicaSet({ deployment, bounds, revision }: Rollout, replicas: number): ReplicaSet {
  const { template, selector, minReadySeconds } = deployment.spec;
  const hash = templateHash(template, deployment.status?.collisionCount);
  const { name, namespace, annotations = {} } = deployment.metadata;
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  const sizes = sizeAnnotations(bounds.desired, bounds.desired + bounds.surge);
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: { ...newestAnnotations({}, annotations, revision), ...sizes },
      ownerReferences: [controllerReference(Deployment, deployment)],
    },
    spec: {
      replicas,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/** ReplicaSets as they should be, for those that are not. */
function updatesOf(rollout: Rollout, resizes: readonly Resize[]): DeploymentPlan['update'] {
  const { deployment, bounds, newest, old } = rollout;
  if (deployment.metadata.deletionTimestamp) return [];
  const sizes = new Map(resizes.map(({ replicaSet, replicas }) => [replicaSet, replicas]));
  const annotated = sizeAnnotations(bounds.desired, bounds.desired + bounds.surge);
  return [...old, ...(newest === undefined ? [] : [newest])].flatMap((set) => {
    const size = sizes.get(set);
    let annotations = set.metadata.annotations ?? {};
    if (set === newest)
      annotations = newestAnnotations(annotations, deployment.metadata.annotations ?? {}, rollout.revision);
    // Sizes are annotated where a size was decided, and on what has Pods: that is what later scaling starts from.
    if (size !== undefined) annotations = { ...annotations, ...annotated };
    const minReadySeconds = set === newest ? deployment.spec.minReadySeconds : set.spec.minReadySeconds;
    const spec = { ...set.spec, replicas: size ?? set.spec.replicas, minReadySeconds };
    const wanted = { ...set, metadata: { ...set.metadata, annotations }, spec };
    return sameJson(wanted, set) ? [] : [{ replicaSet: wanted, from: sizeOf(set) }];
  });
}

function deploymentRevision({ deployment, newest, revision }: Rollout, { create }: Step): string | undefined {
  if (deployment.metadata.deletionTimestamp || (newest === undefined && create === undefined)) return undefined;
  const shown = String(Math.max(revision, revisionOf(newest?.metadata.annotations)));
  return deployment.metadata.annotations?.[revisionAnnotation] === shown ? undefined : shown;
}

function statusOf(rollout: Rollout, { create }: Step): DeploymentStatus {
  const { deployment, newest, old, nowMs } = rollout;
  const all = [...old, ...(newest === undefined ? [] : [newest])];
  const availableReplicas = totalAvailable(all);
  const { collisionCount, conditions = [] } = deployment.status ?? {};
  const counts = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: totalPods(all),
    updatedReplicas: newest === undefined ? 0 : totalPods([newest]),
    readyReplicas: totalReady(all),
    availableReplicas,
    unavailableReplicas: Math.max(0, totalSize(all) - availableReplicas),
    terminatingReplicas: totalTerminating(all),
    ...(collisionCount === undefined ? {} : { collisionCount }),
  };
  const stated = startConditions(rollout, pauseConditions(deployment, conditions, nowMs), create);
  const available = withCondition(stated, availableCondition(deployment, availableReplicas), nowMs);
  const status: DeploymentStatus = { ...counts, conditions: available };
  const isQuiet = deployment.spec.paused || deployment.metadata.deletionTimestamp !== undefined;
  const progress = isQuiet ? available : progressConditions(deployment, status, newest, nowMs);
  return { ...counts, conditions: failureConditions(progress, newest, all) };
}

/** A rollout starts with a new ReplicaSet, or with one that is found (after an undo). */
function startConditions(
  { deployment, newest, nowMs }: Rollout,
  conditions: Conditions,
  create: ReplicaSet | undefined,
): Conditions {
  if (!hasDeadline(deployment)) return conditions;
  if (create !== undefined) {
    const message = `Created new replica set ${JSON.stringify(create.metadata.name)}`;
    return withCondition(conditions, progressing('NewReplicaSetCreated', message), nowMs);
  }
  if (newest === undefined || conditionOf(conditions, 'Progressing') !== undefined) return conditions;
  const message = `Found new replica set ${JSON.stringify(newest.metadata.name)}`;
  return withCondition(conditions, progressing('FoundNewReplicaSet', message), nowMs);
}
