import { Endpoints } from '../../api/core/endpoints.ts';
import { Service } from '../../api/core/service.ts';
import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { keyOf, namespaceOf } from '../../api/meta/object-meta.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import type { Change } from '../../client/caches.ts';
import { createShell, splitKey } from '../context.ts';
import type { ControllerContext } from '../context.ts';
import { writeSlices } from '../write-slices.ts';
import { managedBy, managedByLabel, reconcileMirror, serviceNameLabel } from './reconcile.ts';

/** Shows the Endpoints of Services without a selector as EndpointSlices. */
export async function startEndpointSliceMirroring(context: ControllerContext): Promise<AsyncDisposable> {
  const { caches, client } = context;
  const services = caches.of(Service);
  const endpoints = caches.of(Endpoints);
  const slices = caches.of(EndpointSlice);
  const ownSlices = slices.index('mirrors-of-endpoints', mirroredKeys);
  const shell = createShell(context, 'endpoint-slice-mirroring');
  const recorder = shell.recorder('endpoint-slice-mirroring-controller');

  const queue = shell.queue(async (key) => {
    const { namespace, name } = splitKey(key);
    const source = endpoints.get(name, namespace);
    const changes = reconcileMirror({
      endpoints: source,
      service: services.get(name, namespace),
      slices: ownSlices(key),
    });
    const writer = { client, recorder, kind: Endpoints, source: source ?? { metadata: { name, namespace } } };
    await writeSlices(writer, changes);
  });

  function addKey({ old, current }: Change<ApiObject>): void {
    const object = current ?? old;
    if (object !== undefined) queue.add(keyOf(object));
  }

  if (!(await shell.ready(services, endpoints, slices))) return shell;
  shell.keep(endpoints.subscribe((changes) => changes.forEach(addKey)));
  shell.keep(
    services.subscribe((changes) => {
      // Only whether there is a Service, and whether it selects, matters here.
      const selects = (service: Service | undefined) => service && service.spec.selector !== undefined;
      for (const change of changes) if (selects(change.old) !== selects(change.current)) addKey(change);
    }),
  );
  shell.keep(
    slices.subscribe((changes) => {
      for (const { old, current } of changes) {
        const slice = old === undefined ? undefined : (current ?? old);
        for (const key of slice === undefined ? [] : mirroredKeys(slice)) queue.add(key);
      }
    }),
  );
  return shell;
}

function mirroredKeys(slice: EndpointSlice): readonly string[] {
  const { [serviceNameLabel]: name, [managedByLabel]: by } = slice.metadata.labels ?? {};
  return name !== undefined && by === managedBy ? [`${namespaceOf(slice)}/${name}`] : [];
}
