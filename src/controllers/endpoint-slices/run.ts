import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { Service } from '../../api/core/service.ts';
import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { keyOf, nameOf, namespaceOf } from '../../api/meta/object-meta.ts';
import type { Change } from '../../client/caches.ts';
import { createShell, splitKey } from '../context.ts';
import type { ControllerContext } from '../context.ts';
import { podsByNode, triggerTimes, watchSelectedPods } from '../service-watch.ts';
import { writeSlices } from '../write-slices.ts';
import { managedBy, managedByLabel, reconcileEndpointSlices, serviceNameLabel } from './reconcile.ts';

/** Keeps the EndpointSlices of every Service with a selector. */
export async function startEndpointSlices(context: ControllerContext): Promise<AsyncDisposable> {
  const { caches, client } = context;
  const services = caches.of(Service);
  const pods = caches.of(Pod);
  const nodes = caches.of(Node);
  const slices = caches.of(EndpointSlice);
  const ownSlices = slices.index('endpoint-slices-of-service', ownServiceKeys);
  const podsOnNode = podsByNode(pods);
  const shell = createShell(context, 'endpoint-slices');
  const recorder = shell.recorder('endpoint-slice-controller');
  const triggers = triggerTimes(context.now);

  const queue = shell.queue(async (key) => {
    const { namespace, name } = splitKey(key);
    const service = services.get(name, namespace);
    // Its slices name it as their owner: the garbage collector takes them.
    if (service === undefined) return;
    const changes = reconcileEndpointSlices({
      service,
      pods: watch.podsOf(service),
      nodeOf: (node) => nodes.get(node),
      slices: ownSlices(key),
      triggerTimeMs: triggers.take(key),
    });
    await writeSlices({ client, recorder, kind: Service, source: service }, changes);
  });

  if (!(await shell.ready(services, pods, nodes, slices))) return shell;
  const watch = watchSelectedPods({ services, pods, triggers, add: queue.add });
  shell.keep(watch);
  shell.keep(
    slices.subscribe((changes) => {
      for (const { old, current } of changes) {
        for (const key of current === undefined && old !== undefined ? ownServiceKeys(old) : []) queue.add(key);
        for (const key of old !== undefined && current !== undefined ? ownServiceKeys(current) : []) queue.add(key);
      }
    }),
  );
  shell.keep(
    nodes.subscribe((changes) => {
      for (const name of changes.filter(movesEndpoints).map(({ old, current }) => nameOf(current ?? old ?? nowhere))) {
        for (const pod of podsOnNode(name)) watch.addServicesOf(pod);
      }
    }),
  );
  return shell;
}

const nowhere = { metadata: {} };

/** The Service of a slice that this controller keeps. */
function ownServiceKeys(slice: EndpointSlice): readonly string[] {
  const labels = slice.metadata.labels ?? {};
  const name = labels[serviceNameLabel];
  return name && labels[managedByLabel] === managedBy ? [`${namespaceOf(slice)}/${name}`] : [];
}

/** A Node matters when it comes, goes, or changes its zone. */
function movesEndpoints({ old, current }: Change<Node>): boolean {
  const zoneOf = (node: Node | undefined) => node?.metadata.labels?.['topology.kubernetes.io/zone'];
  return old === undefined || current === undefined || zoneOf(old) !== zoneOf(current) || keyOf(old) !== keyOf(current);
}
