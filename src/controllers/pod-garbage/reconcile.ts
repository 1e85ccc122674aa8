import type { Node } from '../../api/core/node.ts';
import type { Pod } from '../../api/core/pod.ts';
import { formatTime } from '../../api/times.ts';
import { isPodTerminal, isPodTerminating } from '../pods.ts';

/** Finished Pods that are kept for people to look at, as in Kubernetes. */
export const keptTerminatedPods = 12_500;
const outOfServiceTaint = 'node.kubernetes.io/out-of-service';

/** Finished Pods beyond the number that is kept, oldest first. */
export function surplusTerminated(pods: readonly Pod[], kept: number): readonly Pod[] {
  const finished = pods.filter((pod) => isPodTerminal(pod) && !isPodTerminating(pod));
  const surplus = finished.length - kept;
  if (surplus <= 0) return [];
  return finished
    .toSorted((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''))
    .slice(0, surplus);
}

/** Will nobody ever finish its termination? It was never placed, or its Node is declared out of service. */
export function isStuck(pod: Pod, node: Node | undefined): boolean {
  if (!isPodTerminating(pod)) return false;
  if (!pod.spec.nodeName) return true;
  return node?.spec.taints?.some(({ key }) => key === outOfServiceTaint) ?? false;
}

/** The Pod of a Node that no longer exists, marked failed, so that whoever reads it last knows why. */
export function failedOrphan(pod: Pod, nowMs: number): Pod | undefined {
  if (isPodTerminal(pod)) return undefined;
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'DisruptionTarget');
  const target = {
    type: 'DisruptionTarget',
    status: 'True' as const,
    reason: 'DeletionByPodGC',
    message: 'PodGC: node no longer exists',
    lastTransitionTime: formatTime(nowMs),
  };
  return { ...pod, status: { ...pod.status, phase: 'Failed', conditions: [...others, target] } };
}
