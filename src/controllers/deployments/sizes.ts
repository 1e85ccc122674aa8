import type { Deployment } from '../../api/apps/deployment.ts';
import type { ReplicaSet } from '../../api/apps/replica-set.ts';
import { maxReplicasAnnotation } from './annotations.ts';

/** How many Pods each ReplicaSet of a Deployment should have: the arithmetic of rollouts, as in Kubernetes. Pure. */

export interface Bounds {
  readonly desired: number;
  /** Pods allowed above `desired`. */
  readonly surge: number;
  /** Pods that may be missing below `desired`. */
  readonly unavailable: number;
}

/** A new size for one ReplicaSet. */
export interface Resize {
  readonly replicaSet: ReplicaSet;
  readonly replicas: number;
}

export function sizeOf({ spec }: ReplicaSet): number {
  return spec.replicas ?? 1;
}

export function desiredSize({ spec }: Deployment): number {
  return spec.replicas ?? 1;
}

function sum(sets: readonly ReplicaSet[], value: (set: ReplicaSet) => number): number {
  return sets.reduce((total, set) => total + value(set), 0);
}

export function totalSize(sets: readonly ReplicaSet[]): number {
  return sum(sets, sizeOf);
}

/** Pods that exist, by status. */
export function totalPods(sets: readonly ReplicaSet[]): number {
  return sum(sets, ({ status }) => status?.replicas ?? 0);
}

export function totalReady(sets: readonly ReplicaSet[]): number {
  return sum(sets, ({ status }) => status?.readyReplicas ?? 0);
}

export function totalAvailable(sets: readonly ReplicaSet[]): number {
  return sum(sets, ({ status }) => status?.availableReplicas ?? 0);
}

export function totalTerminating(sets: readonly ReplicaSet[]): number {
  return sum(sets, ({ status }) => status?.terminatingReplicas ?? 0);
}

/** The strategy's numbers; percentages of surge round up, of unavailability down; never both 0. */
export function boundsOf(deployment: Deployment): Bounds {
  const desired = desiredSize(deployment);
  const { type, rollingUpdate } = deployment.spec.strategy ?? {};
  if (type === 'Recreate') return { desired, surge: 0, unavailable: 0 };
  const surge = scaled(rollingUpdate?.maxSurge ?? '25%', desired, Math.ceil);
  const unavailable = scaled(rollingUpdate?.maxUnavailable ?? '25%', desired, Math.floor);
  const least = surge === 0 && unavailable === 0 ? 1 : unavailable;
  return { desired, surge, unavailable: Math.min(least, desired) };
}

function scaled(value: number | string, total: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value;
  const percent = Number.parseInt(value, 10);
  return Number.isNaN(percent) ? 0 : round((percent * total) / 100);
}

/** The size of the newest ReplicaSet: as large as the surge allows. */
export function newestSize(bounds: Bounds, all: readonly ReplicaSet[], current: number, isRecreate: boolean): number {
  if (isRecreate || current > bounds.desired) return bounds.desired;
  const room = bounds.desired + bounds.surge - totalSize(all);
  return room <= 0 ? current : current + Math.min(room, bounds.desired - current);
}

/**
 * The sizes of the old ReplicaSets in a rolling update: first those Pods go that are not available anyway, then others as
 * long as enough are available.
 */
export function shrinkOld(bounds: Bounds, newest: ReplicaSet, old: readonly ReplicaSet[]): readonly Resize[] {
  const minAvailable = bounds.desired - bounds.unavailable;
  const newestMissing = sizeOf(newest) - (newest.status?.availableReplicas ?? 0);
  const mayGo = totalSize([...old, newest]) - minAvailable - newestMissing;
  if (totalSize(old) === 0 || mayGo <= 0) return [];
  const oldestFirst = old.toSorted(byCreation);
  const sizes = new Map(oldestFirst.map((set) => [set, sizeOf(set)]));
  takeUnhealthy(sizes, mayGo);
  takeAvailable(sizes, totalAvailable([...old, newest]) - minAvailable);
  return [...sizes]
    .filter(([replicaSet, replicas]) => replicas !== sizeOf(replicaSet))
    .map(([replicaSet, replicas]) => ({ replicaSet, replicas }));
}

function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  const order = (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '');
  return order === 0 ? (a.metadata.name ?? '').localeCompare(b.metadata.name ?? '') : order;
}

function takeUnhealthy(sizes: Map<ReplicaSet, number>, most: number): void {
  let left = most;
  for (const [set, size] of sizes) {
    const taken = Math.max(0, Math.min(left, size - (set.status?.availableReplicas ?? 0)));
    sizes.set(set, size - taken);
    left -= taken;
  }
}

function takeAvailable(sizes: Map<ReplicaSet, number>, most: number): void {
  let left = most;
  for (const [set, size] of sizes) {
    const taken = Math.max(0, Math.min(left, size));
    sizes.set(set, size - taken);
    left -= taken;
  }
}

/** What to do about ReplicaSets when only the Deployment's size changed. */
export function spreadSize(
  bounds: Bounds,
  newest: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): readonly Resize[] {
  const active = [...old, ...(newest === undefined ? [] : [newest])].filter((set) => sizeOf(set) > 0);
  const only = active.length > 1 ? undefined : (active[0] ?? newest ?? old.toSorted(byCreation).at(-1));
  if (only !== undefined) return [{ replicaSet: only, replicas: bounds.desired }];
  if (newest !== undefined && isSaturated(newest, bounds)) {
    return old.filter((set) => sizeOf(set) > 0).map((replicaSet) => ({ replicaSet, replicas: 0 }));
  }
  return active.length === 0 ? [] : proportional(bounds, active);
}

/** The newest ReplicaSet has all the Pods, wanted and available. */
function isSaturated(newest: ReplicaSet, { desired }: Bounds): boolean {
  return sizeOf(newest) === desired && (newest.status?.availableReplicas ?? 0) === desired;
}

/** In the middle of a rollout every ReplicaSet grows or shrinks by its share; the largest takes what rounding leaves. */
function proportional(bounds: Bounds, active: readonly ReplicaSet[]): readonly Resize[] {
  const allowed = bounds.desired > 0 ? bounds.desired + bounds.surge : 0;
  const change = allowed - totalSize(active);
  const largestFirst = active.toSorted((a, b) => sizeOf(b) - sizeOf(a) || byCreation(a, b) * (change > 0 ? -1 : 1));
  let used = 0;
  const sizes = largestFirst.map((set) => {
    const share = change === 0 ? 0 : shareOf(set, bounds, change, used);
    used += share;
    return { replicaSet: set, replicas: sizeOf(set) + share };
  });
  const [first, ...others] = sizes;
  if (first === undefined) return [];
  return [{ ...first, replicas: Math.max(0, first.replicas + change - used) }, ...others];
}

function shareOf(set: ReplicaSet, bounds: Bounds, change: number, used: number): number {
  const left = change - used;
  const share = fractionOf(set, bounds);
  return change > 0 ? Math.min(share, left) : Math.max(share, left);
}

function fractionOf(set: ReplicaSet, { desired, surge }: Bounds): number {
  const size = sizeOf(set);
  if (desired === 0) return -size;
  const annotated = Number(set.metadata.annotations?.[maxReplicasAnnotation]);
  const maxBefore = annotated > 0 ? annotated : desired + surge;
  return Math.round((size * (desired + surge)) / maxBefore) - size;
}
