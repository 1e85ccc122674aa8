import type { Pod } from '../../api/core/pod.ts';
import { isPodReady, readyCondition } from '../pods.ts';

const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';

/** Negative when `a` should go before `b`. */
type Comparison = (a: Pod, b: Pod) => number;

/**
 * The Pods in the order in which they should go when there are too many: first what costs least to lose. The order is
 * Kubernetes': not placed, not running, not ready, cheap by annotation, sharing a Node with many siblings, ready for a
 * short time, restarted often, young. Ages are compared by order of magnitude, so that the choice is spread. Pure.
 *
 * @param siblingsOn how many Pods of the same application are on a Node.
 */
export function deletionOrder(pods: readonly Pod[], siblingsOn: (node: string) => number, nowMs: number): Pod[] {
  const rank = (pod: Pod) => siblingsOn(pod.spec.nodeName ?? '');
  const comparisons: readonly Comparison[] = [
    byNumber((pod) => (pod.spec.nodeName ? 1 : 0)),
    byNumber(phaseOrder),
    byNumber((pod) => (isPodReady(pod) ? 1 : 0)),
    byNumber(deletionCost),
    byNumber((pod) => -rank(pod)),
    byNumber((pod) => (isPodReady(pod) ? magnitude(readyCondition(pod)?.lastTransitionTime, nowMs) : 0)),
    byNumber((pod) => -mostRestarts(pod)),
    byNumber((pod) => magnitude(pod.metadata.creationTimestamp, nowMs)),
    (a, b) => ((a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1),
  ];
  return pods.toSorted((a, b) => {
    for (const compare of comparisons) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  });
}

function byNumber(value: (pod: Pod) => number): Comparison {
  return (a, b) => value(a) - value(b);
}

function phaseOrder(pod: Pod): number {
  const order = { Pending: 0, Unknown: 1, Running: 2, Succeeded: 2, Failed: 2 };
  return order[pod.status?.phase ?? 'Pending'];
}

function deletionCost({ metadata }: Pod): number {
  const cost = Number(metadata.annotations?.[deletionCostAnnotation] ?? 0);
  return Number.isInteger(cost) ? cost : 0;
}

function mostRestarts({ status }: Pod): number {
  return Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));
}

/** Order of magnitude of an age: larger for older; -1 for none at all. */
function magnitude(time: string | undefined, nowMs: number): number {
  const ageMs = nowMs - Date.parse(time ?? '');
  return ageMs > 0 ? Math.floor(Math.log2(ageMs)) : -1;
}
