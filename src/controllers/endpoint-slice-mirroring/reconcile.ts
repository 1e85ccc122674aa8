import { Endpoints } from '../../api/core/endpoints.ts';
import type { EndpointAddress, EndpointSubset } from '../../api/core/endpoints.ts';
import type { Service } from '../../api/core/service.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { controllerReference } from '../../client/owners.ts';
import { familyOf } from '../service-endpoints.ts';
import type { Family } from '../service-endpoints.ts';
import { packSlices } from '../slice-packing.ts';
import type { EndpointGroup, SliceChanges } from '../slice-packing.ts';

export const serviceNameLabel = 'kubernetes.io/service-name';
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const managedBy = 'endpointslicemirroring-controller.k8s.io';
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror';
const electionAnnotation = 'control-plane.alpha.kubernetes.io/leader';
const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';
const notMirrored = new Set(['kubectl.kubernetes.io/last-applied-configuration', triggerTimeAnnotation]);
/** Addresses that are mirrored of one subset. */
const maxPerSubset = 1000;

export interface MirrorInput {
  readonly endpoints: Endpoints | undefined;
  readonly service: Service | undefined;
  /** The slices that mirror them already. */
  readonly slices: readonly EndpointSlice[];
}

/** Are these Endpoints somebody's own, to be shown as slices? Those of Services with a selector are not. */
function isMirrored(endpoints: Endpoints | undefined, service: Service | undefined): endpoints is Endpoints {
  if (endpoints === undefined || service === undefined) return false;
  const { labels = {}, annotations = {}, deletionTimestamp } = endpoints.metadata;
  if (labels[skipLabel] === 'true' || annotations[electionAnnotation] !== undefined) return false;
  return deletionTimestamp === undefined && service.spec.selector === undefined;
}

/** What to write so that the slices show the Endpoints; all slices go when nothing is to be mirrored. */
export function reconcileMirror({ endpoints, service, slices }: MirrorInput): SliceChanges {
  if (!isMirrored(endpoints, service)) return { create: [], update: [], delete: slices };
  const { name = '', namespace = '' } = endpoints.metadata;
  const annotations = Object.entries(endpoints.metadata.annotations ?? {}).filter(([key]) => !notMirrored.has(key));
  const reserved = [serviceNameLabel, managedByLabel];
  const labels = Object.entries(endpoints.metadata.labels ?? {}).filter(([key]) => !reserved.includes(key));
  const triggerTime = endpoints.metadata.annotations?.[triggerTimeAnnotation];
  return withoutPlaceholder(
    packSlices(slices, groupsOf(endpoints), {
      namespace,
      generateName: `${name}-`,
      ownerReference: controllerReference(Endpoints, endpoints),
      labels: { ...Object.fromEntries(labels), [serviceNameLabel]: name, [managedByLabel]: managedBy },
      requiredAnnotations: Object.fromEntries(annotations),
      annotations: { [triggerTimeAnnotation]: triggerTime },
      maxEndpoints: maxPerSubset,
    }),
  );
}

/** Endpoints without addresses have no slices. */
function withoutPlaceholder(changes: SliceChanges): SliceChanges {
  return { ...changes, create: changes.create.filter(({ endpoints = [] }) => endpoints.length > 0) };
}

interface Group extends EndpointGroup {
  readonly endpoints: Endpoint[];
}

function groupsOf({ subsets = [] }: Endpoints): readonly EndpointGroup[] {
  const groups = new Map<string, Group>();
  for (const subset of subsets) {
    const ports = portsOf(subset);
    for (const [endpoint, family] of endpointsOf(subset)) {
      const key = `${family} ${JSON.stringify(ports)}`;
      const group = groups.get(key) ?? { addressType: family, ports, endpoints: [] };
      group.endpoints.push(endpoint);
      groups.set(key, group);
    }
  }
  return [...groups.values()];
}

function portsOf({ ports = [] }: EndpointSubset): readonly EndpointPort[] {
  return ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
    name,
    port,
    protocol,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  }));
}

function endpointsOf({ addresses = [], notReadyAddresses = [] }: EndpointSubset): readonly [Endpoint, Family][] {
  const ready = addresses.map((address) => mirrored(address, true));
  const others = notReadyAddresses.map((address) => mirrored(address, false));
  return [...ready, ...others].slice(0, maxPerSubset);
}

function mirrored({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): [Endpoint, Family] {
  const endpoint = {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(targetRef === undefined ? {} : { targetRef }),
    ...(nodeName ? { nodeName } : {}),
  };
  return [endpoint, familyOf(ip)];
}
