import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { formatTime } from '../../api/times.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import { objectAs } from '../cache/item.ts';
import type { AdmissionRule } from './admission.ts';
import { unchanged } from './admission.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Toleration = NonNullable<PodSpec['tolerations']>[number];
type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number];

/**
 * Gives a new Pod its node: a Ready, schedulable one that its node selector and tolerations allow, with the fewest Pods.
 * There is no scheduler; a Pod that fits nowhere stays Pending until the placement controller finds it a node.
 */
export function nodePlacement(
  nodes: ResourceCache,
  countPods: (nodeName: string) => number,
  now: () => number,
): AdmissionRule {
  return {
    name: 'NodePlacement',
    applies: ({ operation, kind, subresource }) =>
      operation === 'create' && kind.kind === Pod.kind && subresource === undefined,
    admit(_request, object) {
      const pod = objectAs(Pod, { key: object.metadata.name ?? '', object });
      if (pod.spec === undefined) return unchanged(object);
      const candidates = nodes.items.range(nodes.prefix).map((item) => objectAs(Node, item));
      const nodeName = pod.spec.nodeName || chooseNode(pod.spec, candidates, countPods);
      if (nodeName === undefined || nodeName === '') return unchanged(object);
      return unchanged(placed(pod, nodeName, now()));
    },
  };
}

/** The name of the best node; undefined when none fits. Pure. */
export function chooseNode(
  spec: PodSpec,
  nodes: readonly Node[],
  countPods: (nodeName: string) => number,
): string | undefined {
  const fitting = nodes.filter((node) => fits(spec, node)).map((node) => node.metadata.name ?? '');
  if (fitting.length < 2) return fitting[0];
  const counted = fitting.map((name) => ({ name, count: countPods(name) }));
  return counted.reduce((best, each) => (each.count < best.count ? each : best)).name;
}

function fits(spec: PodSpec, node: Node): boolean {
  const isReady = (node.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');
  if (!isReady || node.spec?.unschedulable === true || node.metadata.deletionTimestamp !== undefined) return false;
  const labels = node.metadata.labels ?? {};
  const isSelected = Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  const repelling = (node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute');
  return (
    isSelected &&
    repelling.every((taint) => (spec.tolerations ?? []).some((toleration) => tolerates(toleration, taint)))
  );
}

function tolerates({ key = '', operator, value = '', effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (operator === 'Exists') return key === '' || key === taint.key;
  return key === taint.key && value === (taint.value ?? '');
}

function placed(pod: Pod, nodeName: string, nowMs: number): ApiObject {
  const conditions = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
  const scheduled = { type: 'PodScheduled', status: 'True' as const, lastTransitionTime: formatTime(nowMs) };
  return {
    ...pod,
    spec: { ...pod.spec, nodeName },
    status: { ...pod.status, conditions: [...conditions, scheduled] },
  } as ApiObject;
}
