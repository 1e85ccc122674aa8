import { rmSync } from 'node:fs';
import { ConfigMap } from '../../api/core/config-map.ts';
import { Secret } from '../../api/core/secret.ts';
import { Pod } from '../../api/core/pod.ts';
import { nameOf, namespaceOf } from '../../api/meta/object-meta.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import type { Caches, Change } from '../../client/caches.ts';
import { podsIn } from '../clean-up.ts';
import type { PodWorker } from './pod-worker.ts';
import { createPodWorker } from './pod-worker.ts';
import { loadPod } from './records.ts';
import { usesConfig } from './references.ts';
import type { Surroundings } from './surroundings.ts';

/** The Pods of this node, each with a worker. */
export interface Pods {
  find(namespace: string, name: string): PodWorker | undefined;
  /** Leaves the Pods running. */
  close(): void;
}

/**
 * Follows the Pods of the node: adopts what an earlier agent left, ends what the API no longer knows, and keeps a worker
 * for each. `caches` must be synced.
 */
export function runPods(around: Surroundings, caches: Caches): Pods {
  const workers = new Map<string, PodWorker>();
  const byName = (namespace: string, name: string) =>
    [...workers.values()].find(({ pod }) => nameOf(pod) === name && namespaceOf(pod) === namespace);
  let isClosed = false;

  function add(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const record = loadPod(around.layout, uid);
    const onFinished = () => {
      workers.delete(uid);
      around.metrics.pods.set(workers.size);
    };
    workers.set(uid, createPodWorker({ around, pod, record, onFinished }));
    around.metrics.pods.set(workers.size);
  }

  function changed(changes: readonly Change<Pod>[]): void {
    if (isClosed) return;
    for (const { old, current } of changes) {
      // A Pod that was deleted and made again under its name has another uid.
      if (old !== undefined && old.metadata.uid !== current?.metadata.uid) workers.get(old.metadata.uid ?? '')?.gone();
      if (current === undefined || current.spec.nodeName !== around.node.name) continue;
      const worker = workers.get(current.metadata.uid ?? '');
      if (worker === undefined) add(current);
      else worker.update(current);
    }
  }

  function configChanged<T extends ApiObject>(kind: 'ConfigMap' | 'Secret', changes: readonly Change<T>[]): void {
    for (const { old, current } of changes) {
      const object = current ?? old;
      if (object === undefined || current === undefined) continue;
      for (const worker of workers.values()) {
        if (namespaceOf(worker.pod) !== namespaceOf(object)) continue;
        if (usesConfig(worker.pod, kind, nameOf(object))) worker.configChanged();
      }
    }
  }

  const pods = caches.of(Pod);
  removeUnknown(around, new Set(pods.list().map(({ metadata }) => metadata.uid ?? '')));
  // Those that are there first: new ones must not get their addresses.
  const known = pods.list().filter(({ spec }) => spec.nodeName === around.node.name);
  for (const pod of known.filter(({ metadata }) => loadPod(around.layout, metadata.uid ?? '') !== undefined)) add(pod);
  const subscriptions = [
    pods.subscribe(changed),
    caches.of(ConfigMap).subscribe((changes) => configChanged('ConfigMap', changes)),
    caches.of(Secret).subscribe((changes) => configChanged('Secret', changes)),
  ];
  return {
    find: byName,
    close() {
      isClosed = true;
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
      for (const worker of workers.values()) worker.close();
    },
  };
}

/** Ends Pods that were deleted while no agent was there. */
function removeUnknown(around: Surroundings, known: ReadonlySet<string>): void {
  for (const uid of podsIn(around.layout).filter((each) => !known.has(each))) {
    void around.runtime
      .removeSandbox(uid)
      .then(() => rmSync(around.layout.pod(uid), { recursive: true, force: true }))
      .catch((error: unknown) => around.logger.warn('a Pod left over could not be removed', { uid, error }));
  }
}
