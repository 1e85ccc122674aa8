import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { keyOf, nameOf, namespaceOf } from '../../api/meta/object-meta.ts';
import { formatTime } from '../../api/times.ts';
import type { Change } from '../../client/caches.ts';
import { createShell, splitKey } from '../context.ts';
import type { ControllerContext } from '../context.ts';
import { sameJson } from '../../lib/json.ts';
import { isPodActive } from '../pods.ts';
import { podsByNode } from '../service-watch.ts';
import { choosePlacement } from './reconcile.ts';

/** Finds a Node for Pods that fitted none when they were made. */
export async function startPlacement(context: ControllerContext): Promise<AsyncDisposable> {
  const { caches, client, now } = context;
  const nodes = caches.of(Node);
  const pods = caches.of(Pod);
  const podsOn = podsByNode(pods);
  const unplaced = pods.index('unplaced', (pod) => (pod.spec.nodeName ? [] : ['']));
  const shell = createShell(context, 'placement');
  const recorder = shell.recorder('default-scheduler');

  const queue = shell.queue(async (key) => {
    const { namespace, name } = splitKey(key);
    const pod = pods.get(name, namespace);
    if (pod === undefined || !isWaiting(pod)) return;
    const placement = choosePlacement(pod, nodes.list(), (node) => podsOn(node).filter(isPodActive).length);
    if (placement.ok) await place(pod, placement.nodeName);
    else await reportWaiting(pod, placement.message);
  });

  async function place(pod: Pod, nodeName: string): Promise<void> {
    const { resourceVersion } = pod.metadata;
    const body = { metadata: { resourceVersion }, spec: { nodeName } };
    await client.patch(Pod, nameOf(pod), { type: 'merge', body }, { namespace: namespaceOf(pod) });
    const message = `Successfully assigned ${keyOf(pod)} to ${nodeName}`;
    recorder.record(Pod, pod, { type: 'Normal', reason: 'Scheduled', message });
  }

  async function reportWaiting(pod: Pod, message: string): Promise<void> {
    const old = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
    if (old?.status === 'False' && old.message === message) return;
    const lastTransitionTime = old?.status === 'False' ? old.lastTransitionTime : formatTime(now());
    const scheduled = {
      type: 'PodScheduled',
      status: 'False' as const,
      reason: 'Unschedulable',
      message,
      lastTransitionTime,
    };
    const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
    const status = { ...pod.status, conditions: [...others, scheduled] };
    await client.update(Pod, { ...pod, status }, { subresource: 'status' });
    recorder.record(Pod, pod, { type: 'Warning', reason: 'FailedScheduling', message });
  }

  function nodeChanged({ old, current }: Change<Node>): void {
    if (current === undefined || (old !== undefined && sameJson(fitFacts(old), fitFacts(current)))) return;
    for (const pod of unplaced('')) queue.add(keyOf(pod));
  }

  if (!(await shell.ready(nodes, pods))) return shell;
  shell.keep(
    pods.subscribe((changes) => {
      for (const { current } of changes) if (current !== undefined && isWaiting(current)) queue.add(keyOf(current));
    }),
  );
  shell.keep(nodes.subscribe((changes) => changes.forEach(nodeChanged)));
  return shell;
}

/** Has no Node, and still wants one from us. */
function isWaiting(pod: Pod): boolean {
  const { nodeName, schedulerName = 'default-scheduler', schedulingGates = [] } = pod.spec;
  return !nodeName && isPodActive(pod) && schedulerName === 'default-scheduler' && schedulingGates.length === 0;
}

/** What decides whether a Pod fits a Node. */
function fitFacts({ metadata, spec, status }: Node): unknown {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  return [metadata.uid, metadata.labels, spec.unschedulable, spec.taints, ready];
}
