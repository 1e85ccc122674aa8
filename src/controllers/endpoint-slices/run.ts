import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { Service } from '../../api/core/service.ts';
import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { keyOf, nameOf, namespaceOf } from '../../api/meta/object-meta.ts';
import type { Change } from '../../client/caches.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { createShell, splitKey } from '../context.ts';
import type { ControllerContext } from '../context.ts';
import { podsByNode, triggerTimes, watchSelectedPods } from '../service-watch.ts';
import { writeSlices } from '../write-slices.ts';
import { managedBy, managedByLabel, reconcileEndpointSlices, serviceNameLabel } from './reconcile.ts';
import type { TopologyOutcome } from './reconcile.ts';
import { hasTopologyMode, zoneFactsText, zoneSharesOf } from './zone-hints.ts';

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
  const withTopologyMode = services.index('topology-mode', (service) => (hasTopologyMode(service) ? ['auto'] : []));
  const report = topologyReporter(recorder);

  const queue = shell.queue(async (key) => {
    const { namespace, name } = splitKey(key);
    const service = services.get(name, namespace);
    // Its slices name it as their owner: the garbage collector takes them.
    if (service === undefined) return report(key, undefined, []);
    const { topology = [], ...changes } = reconcileEndpointSlices({
      service,
      pods: watch.podsOf(service),
      nodeOf: (node) => nodes.get(node),
      slices: ownSlices(key),
      zoneShares: () => zoneSharesOf(nodes.list()),
      triggerTimeMs: triggers.take(key),
    });
    report(key, service, topology);
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
      const concerned = changes.some(movesZones) ? withTopologyMode('auto') : [];
      for (const service of concerned) queue.add(keyOf(service));
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

function movesZones({ old, current }: Change<Node>): boolean {
  return (old && zoneFactsText(old)) !== (current && zoneFactsText(current));
}

/** Tells by events when the hints of a topology mode come, or why they do not: once until it changes. */
function topologyReporter(recorder: EventRecorder) {
  const told = new Map<string, string>();
  return (key: string, service: Service | undefined, outcomes: readonly TopologyOutcome[]): void => {
    const text = outcomes.map(({ family, problem = '' }) => `${family} ${problem}`).join();
    if (text === (told.get(key) ?? '')) return;
    if (text === '') told.delete(key);
    else told.set(key, text);
    if (service === undefined) return;
    for (const { family, problem } of outcomes) {
      const message = `${problem ?? 'Topology Aware Hints has been enabled'}, addressType: ${family}`;
      const [type, reason] =
        problem === undefined
          ? (['Normal', 'TopologyAwareHintsEnabled'] as const)
          : (['Warning', 'TopologyAwareHintsDisabled'] as const);
      recorder.record(Service, service, { type, reason, message });
    }
  };
}
