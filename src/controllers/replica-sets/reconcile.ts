import { ReplicaSet } from '../../api/apps/replica-set.ts';
import type { ReplicaSetCondition, ReplicaSetStatus } from '../../api/apps/replica-set.ts';
import type { Pod } from '../../api/core/pod.ts';
import { controllerReference } from '../../client/owners.ts';
import { formatTime } from '../../api/times.ts';
import { availableAtMs, isPodActive, isPodReady, isPodTerminal, isPodTerminating } from '../pods.ts';
import { deletionOrder } from './ranking.ts';

export interface ReplicaSetInput {
  readonly replicaSet: ReplicaSet;
  /** The Pods it owns, finished and leaving ones included. */
  readonly pods: readonly Pod[];
  /** Active Pods on a Node that belong to this ReplicaSet or its siblings (of the same Deployment). */
  readonly siblingsOn: (node: string) => number;
  readonly nowMs: number;
}

export interface ReplicaSetPlan {
  /** How many Pods to create from `podFrom`. */
  readonly create: number;
  /** Which Pods to delete. */
  readonly delete: readonly Pod[];
}

/** Creates or deletes at most this many Pods in one pass, as Kubernetes does. */
const burst = 500;

/** Which Pods are missing or too many. */
export function planReplicas({ replicaSet, pods, siblingsOn, nowMs }: ReplicaSetInput): ReplicaSetPlan {
  if (replicaSet.metadata.deletionTimestamp) return { create: 0, delete: [] };
  const active = pods.filter(isPodActive);
  const missing = (replicaSet.spec.replicas ?? 1) - active.length;
  if (missing >= 0) return { create: Math.min(missing, burst), delete: [] };
  const surplus = deletionOrder(active, siblingsOn, nowMs).slice(0, Math.min(-missing, burst));
  return { create: 0, delete: surplus };
}

/** A new Pod of the ReplicaSet. */
export function podFrom(replicaSet: ReplicaSet): Pod {
  const { template } = replicaSet.spec;
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  const { name, namespace } = replicaSet.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${name}-`,
      namespace,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerReference(ReplicaSet, replicaSet)],
    },
    spec: template?.spec ?? { containers: [] },
  };
}

/** What went wrong with the plan, for the `ReplicaFailure` condition. */
export interface ReplicaFailure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly message: string;
}

/** The status that the Pods add up to; `failure` of this pass, if any. */
export function statusOf(input: ReplicaSetInput, failure: ReplicaFailure | undefined): ReplicaSetStatus {
  const { replicaSet, pods, nowMs } = input;
  const active = pods.filter(isPodActive);
  const minReadySeconds = replicaSet.spec.minReadySeconds ?? 0;
  const isAvailable = (pod: Pod) => (availableAtMs(pod, minReadySeconds) ?? Number.POSITIVE_INFINITY) <= nowMs;
  const conditions = conditionsOf(replicaSet, failure, nowMs);
  return {
    ...replicaSet.status,
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) => hasTemplateLabels(replicaSet, pod)).length,
    readyReplicas: active.filter(isPodReady).length,
    availableReplicas: active.filter(isAvailable).length,
    terminatingReplicas: pods.filter((pod) => isPodTerminating(pod) && !isPodTerminal(pod)).length,
    observedGeneration: replicaSet.metadata.generation ?? 0,
    ...(conditions.length > 0 ? { conditions } : { conditions: undefined }),
  };
}

function hasTemplateLabels({ spec }: ReplicaSet, { metadata }: Pod): boolean {
  const wanted = Object.entries(spec.template?.metadata?.labels ?? {});
  return wanted.every(([name, value]) => metadata.labels?.[name] === value);
}

function conditionsOf(
  { status }: ReplicaSet,
  failure: ReplicaFailure | undefined,
  nowMs: number,
): readonly ReplicaSetCondition[] {
  const old = status?.conditions ?? [];
  const others = old.filter(({ type }) => type !== 'ReplicaFailure');
  if (failure === undefined) return others;
  const before = old.find(({ type }) => type === 'ReplicaFailure');
  if (before?.status === 'True' && before.reason === failure.reason) return old;
  const lastTransitionTime = formatTime(nowMs);
  return [...others, { type: 'ReplicaFailure', status: 'True', lastTransitionTime, ...failure }];
}

/** How long until the next ready Pod becomes available, in milliseconds; undefined when none will by time alone. */
export function nextAvailableInMs({ replicaSet, pods, nowMs }: ReplicaSetInput): number | undefined {
  const times = pods
    .filter(isPodActive)
    .map((pod) => availableAtMs(pod, replicaSet.spec.minReadySeconds ?? 0))
    .filter((time) => time !== undefined && time > nowMs)
    .map((time) => (time ?? 0) - nowMs);
  return times.length > 0 ? Math.min(...times) : undefined;
}
