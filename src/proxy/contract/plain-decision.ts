import type { Node } from '../../api/core/node.ts';
import type { Service, ServicePort } from '../../api/core/service.ts';
import type { Endpoint, EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import {
  portRangesAnnotation,
  resetRemovedAnnotation,
  schedulerAnnotation,
  weightsAnnotation,
} from '../../api/fairlead-annotations.ts';
import { cidrContains, parseCidr } from '../../lib/cidr.ts';
import type { Backend, Frontend, FrontendKind, Protocol, Target } from '../../routing/frontend.ts';
import { schedulers } from '../../routing/scheduler.ts';
import type { Family } from './world.ts';

/**
 * What Services mean, decided from scratch in the plainest way: every object is read again for every frontend. It shares
 * no code with `routing/`, so that the two can disagree; the model test holds them, and the planes, together.
 */

export interface ModelObjects {
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  /** The node that is decided for. */
  readonly node: Node;
}

/** Every frontend of a node whose proxy allows external addresses, sorted by key. */
export function decidePlainly(objects: ModelObjects): readonly Frontend[] {
  const rank: Record<FrontendKind, number> = { ClusterIP: 0, NodePort: 1, LoadBalancer: 2, ExternalIP: 3 };
  const ages = new Map(objects.services.map((it) => [nameOf(it), String(it.metadata.creationTimestamp ?? '')]));
  const wishes = objects.services.flatMap((service) => wishesOf(objects, service));
  wishes.sort(
    (a, b) =>
      rank[a.kind] - rank[b.kind] ||
      compare(ages.get(a.service) ?? '', ages.get(b.service) ?? '') ||
      compare(a.service, b.service) ||
      a.port - b.port,
  );
  const held: Frontend[] = [];
  for (const wish of wishes) if (!held.some((other) => meet(other, wish))) held.push(wish);
  return held.sort((a, b) => compare(a.key, b.key));
}

/** Two frontends that cannot both be: one address (or the node), one protocol, a port in common. */
function meet(a: Frontend, b: Frontend): boolean {
  const isOnePlace = a.address === b.address && a.family === b.family && a.protocol === b.protocol;
  return isOnePlace && a.port <= (b.lastPort ?? b.port) && b.port <= (a.lastPort ?? a.port);
}

function wishesOf(objects: ModelObjects, service: Service): Frontend[] {
  const { spec, metadata, status } = service;
  const isOthers = ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless'].some(
    (label) => metadata.labels?.[label] !== undefined,
  );
  if (isOthers || spec.type === 'ExternalName' || spec.clusterIP === 'None') return [];
  const wishes: Frontend[] = [];
  const ingress = spec.type === 'LoadBalancer' ? (status?.loadBalancer?.ingress ?? []) : [];
  for (const clusterIp of spec.clusterIPs ?? []) {
    const family = familyOf(clusterIp);
    const ofFamily = (addresses: readonly string[]) => addresses.filter((address) => familyOf(address) === family);
    const balancers = ofFamily(ingress.filter((it) => it.ipMode !== 'Proxy').map((it) => it.ip ?? ''));
    for (const port of spec.ports ?? []) {
      const wish = (kind: FrontendKind, address: string | undefined) =>
        wishes.push(frontendOf(objects, service, port, kind, family, address));
      wish('ClusterIP', clusterIp);
      for (const address of balancers) wish('LoadBalancer', address);
      for (const address of ofFamily(spec.externalIPs ?? [])) wish('ExternalIP', address);
      const hasNodePorts = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
      if (hasNodePorts && port.nodePort) wish('NodePort', undefined);
    }
  }
  return wishes;
}

function frontendOf(
  objects: ModelObjects,
  service: Service,
  port: ServicePort,
  kind: FrontendKind,
  family: Family,
  address: string | undefined,
): Frontend {
  const { spec } = service;
  const protocol: Protocol = port.protocol === 'UDP' || port.protocol === 'SCTP' ? port.protocol : 'TCP';
  const number = (kind === 'NodePort' ? port.nodePort : port.port) ?? 0;
  const host = address ?? '*';
  const lastPort = kind === 'NodePort' ? undefined : lastPortOf(service, port);
  const endpoints = endpointsOf(objects, service, port, family, lastPort === undefined ? undefined : port.port);
  const cluster = clusterTarget(objects.node, endpoints);
  const local = localTarget(endpoints);
  const isLocalInside = kind === 'ClusterIP' && spec.internalTrafficPolicy === 'Local';
  const isLocalOutside = kind !== 'ClusterIP' && spec.externalTrafficPolicy === 'Local';
  const internal = isLocalInside ? local : cluster;
  return {
    key: `${family === 'IPv6' ? `[${host}]` : host}:${number}/${protocol}`,
    kind,
    family,
    address,
    port: number,
    protocol,
    service: nameOf(service),
    portName: port.name ?? '',
    affinity:
      spec.sessionAffinity === 'ClientIP'
        ? { timeoutSeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800 }
        : undefined,
    lastPort,
    scheduler: schedulers.find((each) => each === service.metadata.annotations?.[schedulerAnnotation]),
    resetAfterSeconds: secondsOf(service.metadata.annotations?.[resetRemovedAnnotation]),
    sourceRanges: kind === 'LoadBalancer' ? sourceRangesOf(objects.node, service, address ?? '') : undefined,
    internal,
    external: isLocalOutside ? local : internal,
    masquerade: kind === 'ClusterIP' ? 'off-cluster' : isLocalOutside ? 'never' : 'always',
  };
}

/** An endpoint of one port, once for each address and port. */
interface PlainEndpoint {
  readonly backend: Backend;
  readonly hasNode: boolean;
  readonly isReady: boolean;
  readonly isDraining: boolean;
  readonly zones: readonly string[];
  readonly nodes: readonly string[];
}

function endpointsOf(
  { slices, node }: ModelObjects,
  service: Service,
  port: ServicePort,
  family: Family,
  portNumber: number | undefined,
): readonly PlainEndpoint[] {
  const found = new Map<string, PlainEndpoint>();
  const here = new Set<string>();
  const ordered = [...slices].sort((a, b) => compare(a.metadata.name ?? '', b.metadata.name ?? ''));
  for (const slice of ordered) {
    const isOurs = slice.metadata.labels?.['kubernetes.io/service-name'] === service.metadata.name;
    const isOthers = slice.metadata.labels?.['service.kubernetes.io/headless'] !== undefined;
    if (!isOurs || isOthers || slice.addressType !== family) continue;
    for (const own of slice.ports ?? []) {
      if (own.name !== port.name || (own.protocol ?? 'TCP') !== (port.protocol ?? 'TCP')) continue;
      for (const endpoint of slice.endpoints ?? []) {
        const read = readEndpoint(slice, endpoint, portNumber ?? own.port ?? 0, node);
        const key = `${read.backend.address} ${read.backend.port}`;
        if (read.backend.local) here.add(read.backend.address);
        const known = found.get(key);
        if (known === undefined || readiness(read) > readiness(known)) found.set(key, read);
      }
    }
  }
  const known = [...found.values()].map((each) => {
    if (each.hasNode) return each;
    return { ...each, backend: { ...each.backend, local: here.has(each.backend.address) } };
  });
  return known.sort((a, b) => compare(a.backend.address, b.backend.address) || a.backend.port - b.backend.port);
}

function readEndpoint(slice: EndpointSlice, endpoint: Endpoint, port: number, node: Node): PlainEndpoint {
  const { conditions, hints, nodeName, targetRef } = endpoint;
  const address = endpoint.addresses?.[0] ?? '';
  const weights = (slice.metadata.annotations?.[weightsAnnotation] ?? '').split(',').map((each) => each.split('='));
  const weight = Number(weights.find(([name]) => name === address)?.[1] ?? 1);
  const local = nodeName === node.metadata.name;
  const pod = targetRef === undefined ? {} : { pod: `${targetRef.namespace}/${targetRef.name}` };
  return {
    backend: { address, port, weight, local, ...pod },
    hasNode: nodeName !== undefined,
    isReady: conditions?.ready ?? true,
    isDraining: (conditions?.serving ?? true) && (conditions?.terminating ?? false),
    zones: (hints?.forZones ?? []).map((each) => each.name ?? ''),
    nodes: (hints?.forNodes ?? []).map((each) => each.name ?? ''),
  };
}

function readiness({ isReady, isDraining }: PlainEndpoint): number {
  return isReady ? 2 : isDraining ? 1 : 0;
}

/** Near ones of those that are ready and have a weight; without any, those that drain. */
function clusterTarget(node: Node, endpoints: readonly PlainEndpoint[]): Target {
  const ready = endpoints.filter((each) => each.isReady);
  const open = ready.filter((each) => each.backend.weight > 0);
  if (open.length === 0) return targetOf(endpoints.filter(canDrain), false);
  const near = nearOf(node, open);
  // One without weight stays in sight of planes, for the connections that it has.
  return targetOf(
    ready.filter((each) => each.backend.weight === 0 || near.includes(each)),
    true,
  );
}

function localTarget(endpoints: readonly PlainEndpoint[]): Target {
  const isAny = endpoints.some((each) => (each.isReady && each.backend.weight > 0) || canDrain(each));
  const here = endpoints.filter((each) => each.backend.local);
  const ready = here.filter((each) => each.isReady);
  if (ready.some((each) => each.backend.weight > 0)) return targetOf(ready, isAny);
  return targetOf(here.filter(canDrain), isAny);
}

/** May be used when nothing is ready. */
function canDrain({ isDraining, backend }: PlainEndpoint): boolean {
  return isDraining && backend.weight > 0;
}

function targetOf(endpoints: readonly PlainEndpoint[], isAnywhere: boolean): Target {
  const backends = endpoints.map((each) => each.backend);
  if (backends.length > 0) return { verdict: 'forward', backends };
  return { verdict: isAnywhere ? 'drop' : 'reject', backends };
}

function nearOf(node: Node, open: readonly PlainEndpoint[]): readonly PlainEndpoint[] {
  const zone = node.metadata.labels?.['topology.kubernetes.io/zone'];
  const sameNode = open.filter((each) => each.nodes.includes(node.metadata.name ?? ''));
  if (sameNode.length > 0 && open.every((each) => each.nodes.length > 0)) return sameNode;
  const sameZone = open.filter((each) => zone !== undefined && each.zones.includes(zone));
  if (sameZone.length > 0 && open.every((each) => each.zones.length > 0)) return sameZone;
  return open;
}

function sourceRangesOf(node: Node, { spec }: Service, address: string): readonly string[] | undefined {
  const family = familyOf(address);
  const ranges = (spec.loadBalancerSourceRanges ?? []).filter((range) => familyOf(range) === family);
  if (ranges.length === 0) return undefined;
  const contains = (range: string, inside: string) => cidrContains(parseCidr(range) ?? fail(range), inside);
  const ownAddresses = (node.status?.addresses ?? []).map((each) => each.address ?? '');
  const hasNode = ranges.some((range) => ownAddresses.some((own) => contains(range, own)));
  const hasItself = ranges.some((range) => contains(range, address));
  const itself = hasNode && !hasItself ? [`${address}/${family === 'IPv4' ? 32 : 128}`] : [];
  return [...new Set([...ranges, ...itself])].sort();
}

function fail(range: string): never {
  throw new Error(`${range} is no range`);
}

/** `tcp=9000-9002`: the only form that the model's Services use. */
function lastPortOf(service: Service, port: ServicePort): number | undefined {
  const [, name, last] = /^(.*)=\d+-(\d+)$/.exec(service.metadata.annotations?.[portRangesAnnotation] ?? '') ?? [];
  return name === port.name && last !== undefined ? Number(last) : undefined;
}

/** `30s`: the only form that the model's Services use. */
function secondsOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number.parseInt(text, 10);
}

function familyOf(address: string): Family {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

function nameOf(service: Service): string {
  return `${service.metadata.namespace}/${service.metadata.name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
