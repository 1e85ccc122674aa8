import type { Node } from '../../api/core/node.ts';
import type { Pod } from '../../api/core/pod.ts';
import { Service } from '../../api/core/service.ts';
import { podWeightAnnotation, weightsAnnotation } from '../../api/fairlead-annotations.ts';
import type { Endpoint, EndpointHints, EndpointPort, EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { controllerReference } from '../../client/owners.ts';
import { isPodReady, isPodTerminal, isPodTerminating, podAddresses } from '../pods.ts';
import { endpointHostname, familiesOf, isHeadless, isManaged, podAddress, targetPortOn } from '../service-endpoints.ts';
import type { Family } from '../service-endpoints.ts';
import { packSlices } from '../slice-packing.ts';
import type { EndpointGroup, SliceChanges, SliceTemplate } from '../slice-packing.ts';
import { hasTopologyMode, spreadOverZones } from './zone-hints.ts';
import type { OrProblem, ZoneShares } from './zone-hints.ts';

/** The labels that say which slices are ours and which Service they belong to. */
export const serviceNameLabel = 'kubernetes.io/service-name';
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const managedBy = 'endpointslice-controller.k8s.io';
const headlessLabel = 'service.kubernetes.io/headless';
const reservedLabels = new Set([serviceNameLabel, managedByLabel, headlessLabel]);
const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';

export interface EndpointSliceInput {
  readonly service: Service;
  /** The Pods that the selector matches, in the Service's namespace. */
  readonly pods: readonly Pod[];
  /** A Node by name; undefined when there is none. */
  readonly nodeOf: (name: string) => Node | undefined;
  /** This controller's slices of the Service. */
  readonly slices: readonly EndpointSlice[];
  /** The zones of the cluster: asked only for a Service with a topology mode. */
  readonly zoneShares?: () => OrProblem<ZoneShares>;
  /** When the oldest cause of this pass happened, in Unix milliseconds. */
  readonly triggerTimeMs?: number;
  /** 100 in Kubernetes; at most 1000. */
  readonly maxEndpoints?: number;
}

/** What became of a topology mode in one family; without a problem the endpoints have hints. */
export interface TopologyOutcome {
  readonly family: Family;
  readonly problem: string | undefined;
}

export interface EndpointSliceResult extends SliceChanges {
  /** Of a Service with a topology mode. */
  readonly topology?: readonly TopologyOutcome[];
}

/** What to write so that the Service's slices show its Pods. Nothing when they do. */
export function reconcileEndpointSlices(input: EndpointSliceInput): EndpointSliceResult {
  const { service, slices, triggerTimeMs, maxEndpoints = 100 } = input;
  if (!isManaged(service)) return { create: [], update: [], delete: [] };
  const hinted = familiesOf(service).map((family) => withZoneHints(input, family, groupsOf(input, family)));
  const changes = packSlices(
    slices,
    hinted.flatMap(({ groups }) => groups),
    {
      namespace: service.metadata.namespace ?? '',
      generateName: `${service.metadata.name}-`,
      ownerReference: controllerReference(Service, service),
      labels: sliceLabels(service),
      annotations: {
        [triggerTimeAnnotation]: triggerTimeMs === undefined ? undefined : new Date(triggerTimeMs).toISOString(),
      },
      annotationsOf: weightAnnotations(input.pods),
      maxEndpoints,
    },
  );
  // What is being deleted must not get new dependents: the garbage collector would race with us.
  const allowed = service.metadata.deletionTimestamp ? { ...changes, create: [] } : changes;
  return hasTopologyMode(service) ? { ...allowed, topology: hinted.map(({ outcome }) => outcome) } : allowed;
}

/** Under a topology mode, every ready endpoint of the family with its zone, or none of them with why. */
function withZoneHints(
  { service, zoneShares }: EndpointSliceInput,
  family: Family,
  groups: readonly EndpointGroup[],
): { readonly groups: readonly EndpointGroup[]; readonly outcome: TopologyOutcome } {
  if (!hasTopologyMode(service)) return { groups, outcome: { family, problem: undefined } };
  const shares = zoneShares?.() ?? new Map<string, number>();
  const ready = groups.flatMap(({ endpoints }) => endpoints.filter(({ conditions }) => conditions?.ready));
  const zones = 'problem' in shares ? shares : spreadOverZones(ready, shares);
  if ('problem' in zones) return { groups, outcome: { family, problem: zones.problem } };
  const withHint = (endpoint: Endpoint): Endpoint => {
    const name = zones.get(endpoint);
    return name === undefined ? endpoint : { ...endpoint, hints: { forZones: [{ name }] } };
  };
  const hinted = groups.map((group) => ({ ...group, endpoints: group.endpoints.map(withHint) }));
  return { groups: hinted, outcome: { family, problem: undefined } };
}

/**
 * What tells the weights of a slice's endpoints, from the annotations of their Pods. The node proxy reads and judges the
 * values; here they only lose what would be taken for another entry.
 */
function weightAnnotations(pods: readonly Pod[]): SliceTemplate['annotationsOf'] {
  const weights = new Map<string, string>();
  for (const pod of pods) {
    const weight = pod.metadata.annotations?.[podWeightAnnotation];
    if (weight === undefined) continue;
    const text = weight
      .trim()
      .slice(0, 20)
      .replaceAll(/[^\w.+-]/g, '?');
    for (const address of podAddresses(pod)) weights.set(address, text);
  }
  return (endpoints) => {
    const entries = endpoints.flatMap(({ addresses: [address = ''] }) => {
      const weight = weights.get(address);
      return weight === undefined ? [] : [`${address}=${weight}`];
    });
    return { [weightsAnnotation]: entries.length > 0 ? entries.sort().join() : undefined };
  };
}

/** The Service's labels without the reserved ones, and ours. */
function sliceLabels(service: Service): Record<string, string> {
  const own = Object.entries(service.metadata.labels ?? {}).filter(([name]) => !reservedLabels.has(name));
  return {
    ...Object.fromEntries(own),
    ...(isHeadless(service) ? { [headlessLabel]: '' } : {}),
    [serviceNameLabel]: service.metadata.name ?? '',
    [managedByLabel]: managedBy,
  };
}

/** Endpoints of one family, grouped by what their ports resolve to; one empty group when there are none. */
function groupsOf(input: EndpointSliceInput, family: Family): EndpointGroup[] {
  const groups = new Map<string, { addressType: Family; ports: readonly EndpointPort[]; endpoints: Endpoint[] }>();
  for (const pod of input.pods) {
    const endpoint = endpointOf(input, pod, family);
    if (endpoint === undefined) continue;
    const ports = portsOn(input.service, pod);
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { addressType: family, ports, endpoints: [] };
    group.endpoints.push(endpoint);
    groups.set(key, group);
  }
  return groups.size > 0 ? [...groups.values()] : [{ addressType: family, ports: [], endpoints: [] }];
}

function portsOn(service: Service, pod: Pod): EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const number = targetPortOn(pod, port);
    if (number === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = port;
    return [{ name, protocol, port: number, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

/** The Pod as an endpoint; undefined when it has finished, has no address, or its Node does not exist. */
function endpointOf({ service, nodeOf }: EndpointSliceInput, pod: Pod, family: Family): Endpoint | undefined {
  const address = podAddress(pod, family);
  if (address === undefined || isPodTerminal(pod)) return undefined;
  const publishNotReady = service.spec.publishNotReadyAddresses ?? false;
  const { nodeName } = pod.spec;
  const node = nodeName ? nodeOf(nodeName) : undefined;
  if (nodeName && node === undefined && !publishNotReady) return undefined;
  const zone = node?.metadata.labels?.['topology.kubernetes.io/zone'];
  const terminating = isPodTerminating(pod);
  const serving = isPodReady(pod);
  const ready = publishNotReady || (serving && !terminating);
  const hostname = endpointHostname(service, pod);
  const distribution = hasTopologyMode(service) ? undefined : service.spec.trafficDistribution;
  const hints = ready ? hintsFor(distribution, zone, nodeName) : undefined;
  const { name, namespace, uid } = pod.metadata;
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName ? { nodeName } : {}),
    ...(zone === undefined ? {} : { zone }),
    ...(hints === undefined ? {} : { hints }),
  };
}

/** KEP-3015. `PreferClose` is the old name of `PreferSameZone`. An endpoint without a zone gets no hint. */
function hintsFor(distribution: string | undefined, zone: string | undefined, nodeName: string | undefined) {
  const forZones = zone === undefined ? {} : { forZones: [{ name: zone }] };
  let hints: EndpointHints = {};
  if (distribution === 'PreferSameZone' || distribution === 'PreferClose') hints = forZones;
  if (distribution === 'PreferSameNode')
    hints = { ...forZones, ...(nodeName ? { forNodes: [{ name: nodeName }] } : {}) };
  return Object.keys(hints).length > 0 ? hints : undefined;
}
