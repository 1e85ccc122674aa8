import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { isNotFound } from '../../api/errors.ts';
import { nameOf } from '../../api/meta/object-meta.ts';
import type { WorkResult } from '../../client/work-queue.ts';
import { createShell } from '../context.ts';
import type { ControllerContext } from '../context.ts';
import { isPodTerminal, isPodTerminating } from '../pods.ts';
import { podsByNode } from '../service-watch.ts';
import { unlessGone } from '../writes.ts';
import { failedOrphan, isStuck, keptTerminatedPods, surplusTerminated } from './reconcile.ts';

/** How long a Node may be missing before its Pods are taken for lost: it may just be registering. */
const quarantineMs = 40_000;
const terminatedKey = 'terminated';

/** Removes Pods that nobody else will: surplus finished ones, those of vanished Nodes, and stuck ones. */
export async function startPodGarbage(context: ControllerContext): Promise<AsyncDisposable> {
  const { caches, client, now } = context;
  const nodes = caches.of(Node);
  const pods = caches.of(Pod);
  const podsOn = podsByNode(pods);
  const missingSince = new Map<string, number>();
  const terminated = new Set<string>();
  const shell = createShell(context, 'pod-garbage');

  const queue = shell.queue(async (key) => {
    if (key === terminatedKey) return deleteSurplus();
    return tendNode(key.slice('node/'.length));
  });

  async function deleteSurplus(): Promise<undefined> {
    const surplus = surplusTerminated(pods.list(), keptTerminatedPods);
    await Promise.all(surplus.map(deleteNow));
  }

  async function tendNode(name: string): Promise<WorkResult | undefined> {
    const node = name === '' ? undefined : nodes.get(name);
    if (name === '' || node !== undefined) {
      missingSince.delete(name);
      const mine = name === '' ? unplaced('') : podsOn(name);
      await Promise.all(mine.filter((pod) => isStuck(pod, node)).map(deleteNow));
      return undefined;
    }
    const orphans = podsOn(name);
    if (orphans.length === 0) return undefined;
    const since = missingSince.get(name) ?? now();
    missingSince.set(name, since);
    const waitMs = since + quarantineMs - now();
    if (waitMs > 0) return { againAfterMs: waitMs };
    if (await isThere(name)) return { againAfterMs: quarantineMs };
    await Promise.all(orphans.map(deleteOrphan));
    missingSince.delete(name);
    return undefined;
  }

  async function isThere(name: string): Promise<boolean> {
    try {
      await client.get(Node, name);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async function deleteOrphan(pod: Pod): Promise<void> {
    const failed = failedOrphan(pod, now());
    if (failed !== undefined) await unlessGone(client.update(Pod, failed, { subresource: 'status' }));
    await deleteNow(pod);
  }

  async function deleteNow(pod: Pod): Promise<void> {
    const { namespace, uid } = pod.metadata;
    await unlessGone(client.delete(Pod, nameOf(pod), { namespace, gracePeriodSeconds: 0, preconditions: { uid } }));
  }

  function podChanged(old: Pod | undefined, current: Pod | undefined): void {
    const pod = current ?? old;
    if (pod === undefined) return;
    const uid = pod.metadata.uid ?? '';
    if (current === undefined || !isPodTerminal(current)) terminated.delete(uid);
    else if (terminated.add(uid).size > keptTerminatedPods) queue.add(terminatedKey);
    const { nodeName = '' } = pod.spec;
    const isLost = nodeName !== '' && nodes.get(nodeName) === undefined;
    if (current !== undefined && (isLost || isPodTerminating(current))) queue.add(`node/${nodeName}`);
  }

  const unplaced = pods.index('unplaced', (pod) => (pod.spec.nodeName ? [] : ['']));
  if (!(await shell.ready(nodes, pods))) return shell;
  shell.keep(pods.subscribe((changes) => changes.forEach(({ old, current }) => podChanged(old, current))));
  shell.keep(
    nodes.subscribe((changes) => {
      for (const { old, current } of changes) {
        const name = nameOf(current ?? old ?? { metadata: {} });
        if (podsOn(name).length > 0) queue.add(`node/${name}`);
      }
    }),
  );
  return shell;
}
