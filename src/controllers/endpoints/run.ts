import { setImmediate as nextTurn } from 'node:timers/promises';
import { Endpoints } from '../../api/core/endpoints.ts';
import { Pod } from '../../api/core/pod.ts';
import { Service } from '../../api/core/service.ts';
import { keyOf, nameOf, namespaceOf } from '../../api/meta/object-meta.ts';
import { createShell, splitKey } from '../context.ts';
import type { ControllerContext } from '../context.ts';
import { triggerTimes, watchSelectedPods } from '../service-watch.ts';
import { unlessGone } from '../writes.ts';
import { managedBy, managedByLabel, reconcileEndpoints } from './reconcile.ts';

/** Keeps the Endpoints of every Service with a selector, for readers that do not know EndpointSlices. */
export async function startEndpoints(context: ControllerContext): Promise<AsyncDisposable> {
  const { caches, client, now } = context;
  const services = caches.of(Service);
  const pods = caches.of(Pod);
  const endpoints = caches.of(Endpoints);
  const shell = createShell(context, 'endpoints');
  const recorder = shell.recorder('endpoint-controller');
  const triggers = triggerTimes(now);

  const queue = shell.queue(async (key) => {
    // EndpointSlices, which steer traffic, are written first.
    await nextTurn();
    const { namespace, name } = splitKey(key);
    const service = services.get(name, namespace);
    const existing = endpoints.get(name, namespace);
    if (service === undefined) return deleteLeftover(existing);
    const triggerTimeMs = triggers.take(key);
    const wanted = reconcileEndpoints({ service, pods: watch.podsOf(service), endpoints: existing, triggerTimeMs });
    if (wanted !== undefined) await write(service, wanted);
  });

  async function deleteLeftover(existing: Endpoints | undefined): Promise<void> {
    // Endpoints without a Service and without our mark are somebody's own.
    if (existing?.metadata.labels?.[managedByLabel] !== managedBy) return;
    const { namespace, uid } = existing.metadata;
    await unlessGone(client.delete(Endpoints, nameOf(existing), { namespace, preconditions: { uid } }));
  }

  async function write(service: Service, wanted: Endpoints): Promise<void> {
    const isNew = wanted.metadata.resourceVersion === undefined;
    try {
      await (isNew ? client.create(Endpoints, wanted) : client.update(Endpoints, wanted));
    } catch (error) {
      const reason = isNew ? 'FailedToCreateEndpoint' : 'FailedToUpdateEndpoint';
      const verb = isNew ? 'create' : 'update';
      const text = error instanceof Error ? error.message : String(error);
      const message = `Failed to ${verb} endpoint ${namespaceOf(service)}/${nameOf(service)}: ${text}`;
      recorder.record(Service, service, { type: 'Warning', reason, message });
      throw error;
    }
  }

  if (!(await shell.ready(services, pods, endpoints))) return shell;
  const watch = watchSelectedPods({ services, pods, triggers, add: queue.add });
  shell.keep(watch);
  shell.keep(
    endpoints.subscribe((changes) => {
      for (const { old, current } of changes) {
        const changed = current ?? old;
        if (changed !== undefined) queue.add(keyOf(changed));
      }
    }),
  );
  return shell;
}
