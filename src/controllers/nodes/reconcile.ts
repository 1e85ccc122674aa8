import type { NodeCondition } from '../../api/core/node-status.ts';
import type { Node, Taint } from '../../api/core/node.ts';
import type { Toleration } from '../../api/core/pod/scheduling.ts';
import type { Pod } from '../../api/core/pod.ts';
import { formatTime } from '../../api/times.ts';
import { isPodTerminal, isPodTerminating, readyCondition } from '../pods.ts';

/** How long a Node may be silent, as in Kubernetes. */
export const graceMs = 40_000;
/** How long Pods that say nothing about it stay on a Node that is not ready: what admission adds in Kubernetes. */
const defaultTolerationSeconds = 300;

const notReadyTaint = 'node.kubernetes.io/not-ready';
const unreachableTaint = 'node.kubernetes.io/unreachable';
const unschedulableTaint = 'node.kubernetes.io/unschedulable';
const managedTaints: ReadonlySet<string> = new Set([notReadyTaint, unreachableTaint, unschedulableTaint]);

/** What a Node's agent reports about itself; it stops when the agent does. */
const reportedConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;

export function nodeReadiness({ status }: Node): NodeCondition['status'] {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
}

/** The conditions of a Node that has gone silent: nothing it said holds any more. */
export function silentConditions({ status }: Node, nowMs: number): readonly NodeCondition[] {
  const old = status?.conditions ?? [];
  const now = formatTime(nowMs);
  const unknown = reportedConditions.map((type): NodeCondition => {
    const before = old.find((condition) => condition.type === type);
    if (before === undefined) {
      const message = 'Kubelet never posted node status.';
      return { type, status: 'Unknown', reason: 'NodeStatusNeverUpdated', message, lastTransitionTime: now };
    }
    if (before.status === 'Unknown') return before;
    const message = 'Kubelet stopped posting node status.';
    return { ...before, status: 'Unknown', reason: 'NodeStatusUnknown', message, lastTransitionTime: now };
  });
  const others = old.filter(({ type }) => !reportedConditions.some((each) => each === type));
  return [...unknown, ...others];
}

/** The taints that the Node's state asks for; those of others, and the times of ours, stay. */
export function wantedTaints(node: Node, nowMs: number): readonly Taint[] {
  const old = node.spec.taints ?? [];
  const readiness = nodeReadiness(node);
  const wanted: Taint[] = node.spec.unschedulable ? [{ key: unschedulableTaint, effect: 'NoSchedule' }] : [];
  if (readiness !== 'True') {
    const key = readiness === 'False' ? notReadyTaint : unreachableTaint;
    wanted.push({ key, effect: 'NoSchedule' }, { key, effect: 'NoExecute' });
  }
  const timed = wanted.map((taint) => {
    const before = old.find(({ key, effect }) => key === taint.key && effect === taint.effect);
    return before ?? { ...taint, timeAdded: formatTime(nowMs) };
  });
  return [...old.filter(({ key }) => !managedTaints.has(key)), ...timed];
}

/** The Pod without readiness: nobody can vouch for it. Undefined when it is not ready as it is. */
export function unreadyPod(pod: Pod, nowMs: number): Pod | undefined {
  const ready = readyCondition(pod);
  if (ready?.status !== 'True' || isPodTerminal(pod)) return undefined;
  const changed = { ...ready, status: 'False' as const, lastTransitionTime: formatTime(nowMs) };
  const conditions = (pod.status?.conditions ?? []).map((each) => (each === ready ? changed : each));
  return { ...pod, status: { ...pod.status, conditions } };
}

/**
 * When the Pod has to leave a Node with these taints, in Unix milliseconds (past: at once); undefined when it may stay.
 * The earliest taint that it does not tolerate for ever decides.
 */
export function evictionTimeMs(pod: Pod, taints: readonly Taint[], nowMs: number): number | undefined {
  if (isPodTerminating(pod) || isPodTerminal(pod)) return undefined;
  const times = taints.filter(({ effect }) => effect === 'NoExecute').map((taint) => leaveTimeMs(pod, taint, nowMs));
  const finite = times.filter((time) => time !== undefined);
  return finite.length > 0 ? Math.min(...finite) : undefined;
}

function leaveTimeMs(pod: Pod, taint: Taint, nowMs: number): number | undefined {
  const addedMs = taint.timeAdded === undefined ? nowMs : Date.parse(taint.timeAdded);
  const matching = (pod.spec.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
  if (matching.length === 0) {
    const isOurs = taint.key === notReadyTaint || taint.key === unreachableTaint;
    return isOurs ? addedMs + defaultTolerationSeconds * 1000 : nowMs;
  }
  const limits = matching.map(({ tolerationSeconds }) => tolerationSeconds).filter((seconds) => seconds !== undefined);
  return limits.length === 0 ? undefined : addedMs + Math.max(0, Math.min(...limits)) * 1000;
}

/** Does the toleration cover the taint? */
export function tolerates({ key = '', operator, value = '', effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (operator === 'Exists') return key === '' || key === taint.key;
  return key === taint.key && value === (taint.value ?? '');
}
