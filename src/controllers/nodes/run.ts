import { Lease } from '../../api/coordination/lease.ts';
import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { isNotFound } from '../../api/errors.ts';
import { keyOf, nameOf } from '../../api/meta/object-meta.ts';
import type { WorkResult } from '../../client/work-queue.ts';
import { createShell } from '../context.ts';
import type { ControllerContext } from '../context.ts';
import { sameJson } from '../../lib/json.ts';
import { podsByNode } from '../service-watch.ts';
import { unlessGone } from '../writes.ts';
import { createHeartbeats } from './heartbeats.ts';
import { evictionTimeMs, nodeReadiness, silentConditions, unreadyPod, wantedTaints } from './reconcile.ts';

const leaseNamespace = 'kube-node-lease';

/** Watches over Nodes: a silent one becomes Unknown, its Pods become not ready and later have to go. */
export async function startNodes(context: ControllerContext): Promise<AsyncDisposable> {
  const { caches, client, now } = context;
  const nodes = caches.of(Node);
  const leases = caches.of(Lease, { namespace: leaseNamespace });
  const pods = caches.of(Pod);
  const podsOn = podsByNode(pods);
  const heartbeats = createHeartbeats(now);
  const shell = createShell(context, 'nodes');
  const recorder = shell.recorder('node-controller');

  const queue = shell.queue(async (name): Promise<WorkResult | undefined> => {
    const node = nodes.get(name);
    if (node === undefined) {
      heartbeats.forget(name);
      return undefined;
    }
    const current = await withTaints(await noticeSilence(node));
    const readiness = nodeReadiness(current);
    const nextEvictionMs = readiness === 'True' ? Number.POSITIVE_INFINITY : await tendPods(current);
    // What is Unknown cannot become more silent: its own agent has to speak up.
    const silentInMs = readiness === 'Unknown' ? Number.POSITIVE_INFINITY : heartbeats.silentInMs(name);
    const againAfterMs = Math.min(nextEvictionMs, silentInMs);
    return againAfterMs === Number.POSITIVE_INFINITY ? undefined : { againAfterMs };
  });

  /** The Node, marked Unknown when it has been silent for too long. */
  async function noticeSilence(node: Node): Promise<Node> {
    const name = nameOf(node);
    heartbeats.see(name, node, leases.get(name, leaseNamespace));
    const conditions = silentConditions(node, now());
    if (sameJson(conditions, node.status?.conditions) || heartbeats.silentInMs(name) > 0) return node;
    heartbeats.see(name, node, await liveLease(name));
    if (heartbeats.silentInMs(name) > 0) return node;
    const status = { ...node.status, conditions };
    const wasReady = nodeReadiness(node) === 'True';
    const written = await client.update(Node, { ...node, status }, { subresource: 'status' });
    const message = `Node ${name} status is now: NodeNotReady`;
    if (wasReady) recorder.record(Node, node, { type: 'Normal', reason: 'NodeNotReady', message });
    return written;
  }

  /** Asked of the server itself: when it does not answer, Nodes could not be heard either. */
  async function liveLease(name: string): Promise<Lease | undefined> {
    try {
      return await client.get(Lease, name, { namespace: leaseNamespace });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      heartbeats.excuse(name);
      throw error;
    }
  }

  async function withTaints(node: Node): Promise<Node> {
    const taints = wantedTaints(node, now());
    if (sameJson(taints, node.spec.taints ?? [])) return node;
    const { resourceVersion } = node.metadata;
    const body = { metadata: { resourceVersion }, spec: { taints } };
    return client.patch(Node, nameOf(node), { type: 'merge', body });
  }

  /** Takes readiness from the Node's Pods and deletes those whose time is up; returns when the next one's is, in ms. */
  async function tendPods(node: Node): Promise<number> {
    let nextMs = Number.POSITIVE_INFINITY;
    const mine = podsOn(nameOf(node));
    await Promise.all(mine.map((pod) => unready(pod)));
    for (const pod of mine) {
      const timeMs = evictionTimeMs(pod, node.spec.taints ?? [], now());
      if (timeMs === undefined) continue;
      if (timeMs <= now()) await evict(pod);
      else nextMs = Math.min(nextMs, timeMs - now());
    }
    return nextMs;
  }

  async function unready(pod: Pod): Promise<void> {
    const changed = unreadyPod(pod, now());
    if (changed === undefined) return;
    await unlessGone(client.update(Pod, changed, { subresource: 'status' }));
    recorder.record(Pod, pod, { type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' });
  }

  async function evict(pod: Pod): Promise<void> {
    const { namespace, uid } = pod.metadata;
    const message = `Marking for deletion Pod ${keyOf(pod)}`;
    recorder.record(Pod, pod, { type: 'Normal', reason: 'TaintManagerEviction', message });
    await unlessGone(client.delete(Pod, nameOf(pod), { namespace, preconditions: { uid } }));
  }

  if (!(await shell.ready(nodes, leases, pods))) return shell;
  shell.keep(
    leases.subscribe((changes) => {
      for (const { current } of changes) {
        if (current !== undefined) heartbeats.see(nameOf(current), nodes.get(nameOf(current)), current);
      }
    }),
  );
  shell.keep(
    nodes.subscribe((changes) => {
      for (const { old, current } of changes) queue.add(nameOf(current ?? old ?? { metadata: {} }));
    }),
  );
  shell.keep(
    pods.subscribe((changes) => {
      for (const { current } of changes) {
        const node = current?.spec.nodeName ? nodes.get(current.spec.nodeName) : undefined;
        if (node !== undefined && nodeReadiness(node) !== 'True') queue.add(nameOf(node));
      }
    }),
  );
  return shell;
}
