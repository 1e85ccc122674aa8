import type { PodCondition } from '../api/core/pod/pod-status.ts';
import type { Pod } from '../api/core/pod.ts';

/** The `Ready` condition, when the Pod has one. */
export function readyCondition(pod: Pod): PodCondition | undefined {
  return pod.status?.conditions?.find(({ type }) => type === 'Ready');
}

export function isPodReady(pod: Pod): boolean {
  return readyCondition(pod)?.status === 'True';
}

/** Has finished for good: phase Succeeded or Failed. */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

export function isPodTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Neither finished nor on its way out: counts as a replica. */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && !isPodTerminating(pod);
}

/**
 * When the Pod has been ready for `minReadySeconds`, in Unix milliseconds: at or before `now` means available; undefined
 * when it is not ready.
 */
export function availableAtMs(pod: Pod, minReadySeconds: number): number | undefined {
  const condition = readyCondition(pod);
  if (condition?.status !== 'True') return undefined;
  const readyAtMs = Date.parse(condition.lastTransitionTime ?? '');
  return minReadySeconds === 0 || Number.isNaN(readyAtMs) ? 0 : readyAtMs + minReadySeconds * 1000;
}

/** The Pod's addresses: `podIPs`, else `podIP`. */
export function podAddresses(pod: Pod): readonly string[] {
  const { podIPs = [], podIP } = pod.status ?? {};
  if (podIPs.length > 0) return podIPs.map(({ ip }) => ip);
  return podIP ? [podIP] : [];
}
