import type { Node } from '../../api/core/node.ts';
import type { Pod } from '../../api/core/pod.ts';
import { nodeReadiness, tolerates } from '../nodes/reconcile.ts';

/** Where a Pod goes, or why nowhere, in the scheduler's words. */
export type Placement =
  | { readonly ok: true; readonly nodeName: string }
  | { readonly ok: false; readonly message: string };

/**
 * The Node for a Pod: one that is ready, open to new Pods, matches the node selector and whose taints the Pod tolerates;
 * of several the one with the fewest Pods, then the first by name. Pure.
 */
export function choosePlacement(pod: Pod, nodes: readonly Node[], podsOn: (node: string) => number): Placement {
  const reasons = new Map<string, number>();
  const fitting: string[] = [];
  for (const node of nodes) {
    const reason = obstacle(pod, node);
    if (reason === undefined) fitting.push(node.metadata.name ?? '');
    else reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  const [best] = fitting.sort((a, b) => podsOn(a) - podsOn(b) || (a < b ? -1 : 1));
  if (best !== undefined) return { ok: true, nodeName: best };
  const parts = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
  const details = parts.length === 0 ? 'no nodes are registered' : parts.join(', ');
  return { ok: false, message: `0/${nodes.length} nodes are available: ${details}.` };
}

function obstacle(pod: Pod, node: Node): string | undefined {
  const labels = node.metadata.labels ?? {};
  const selector = Object.entries(pod.spec.nodeSelector ?? {});
  if (node.metadata.deletionTimestamp !== undefined) return 'node(s) were being deleted';
  if (node.spec.unschedulable) return 'node(s) were unschedulable';
  if (nodeReadiness(node) !== 'True') return 'node(s) were not ready';
  if (!selector.every(([name, value]) => labels[name] === value)) {
    return "node(s) didn't match Pod's node affinity/selector";
  }
  const taint = (node.spec.taints ?? []).find(
    (each) =>
      each.effect !== 'PreferNoSchedule' && !(pod.spec.tolerations ?? []).some((other) => tolerates(other, each)),
  );
  return taint && `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
}
