import type { Endpoint, EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { canonicalIp } from '../lib/ip.ts';
import type { Protocol } from './frontend.ts';
import { isLeftToOthers } from './labels.ts';

/** What routing keeps of one endpoint: read once when its slice changes, shared by all ports of the slice. */
export interface SliceEndpoint {
  readonly address: string;
  /** May get new connections. */
  readonly ready: boolean;
  /** Works, but is on its way out: the fallback when nothing is ready (KEP-1669). */
  readonly draining: boolean;
  readonly nodeName: string | undefined;
  /** Topology hints: zones and nodes whose clients should use this endpoint; undefined when the slice gives none. */
  readonly forZones: readonly string[] | undefined;
  readonly forNodes: readonly string[] | undefined;
  readonly pod: string | undefined;
}

/** A port number of a slice under the name and protocol that the Service's port has. */
export interface SlicePort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
}

/** What routing keeps of one EndpointSlice. */
export interface ReadSlice {
  readonly name: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly ports: readonly SlicePort[];
  /** Sorted by address. */
  readonly endpoints: readonly SliceEndpoint[];
}

/** Reads a slice; undefined for one that routing ignores: FQDN, of another proxy, or headless by label. */
export function readSlice(slice: EndpointSlice): ReadSlice | undefined {
  const family = slice.addressType;
  if ((family !== 'IPv4' && family !== 'IPv6') || isLeftToOthers(slice)) return undefined;
  const endpoints: SliceEndpoint[] = [];
  for (const endpoint of slice.endpoints ?? []) {
    const read = readEndpoint(endpoint, family);
    if (read !== undefined) endpoints.push(read);
  }
  endpoints.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  return { name: slice.metadata.name ?? '', family, ports: readPorts(slice), endpoints };
}

/** Nil conditions mean ready, serving and not terminating (discovery/v1 EndpointConditions). */
function readEndpoint(endpoint: Endpoint, family: 'IPv4' | 'IPv6'): SliceEndpoint | undefined {
  // Consumers use the first address only (discovery/v1 Endpoint.addresses).
  const address = canonicalIp(endpoint.addresses?.[0] ?? '');
  if (address === undefined || address.includes(':') !== (family === 'IPv6')) return undefined;
  const { conditions, hints, targetRef } = endpoint;
  return {
    address,
    ready: conditions?.ready ?? true,
    draining: (conditions?.serving ?? true) && (conditions?.terminating ?? false),
    nodeName: endpoint.nodeName ?? undefined,
    forZones: namesOf(hints?.forZones),
    forNodes: namesOf(hints?.forNodes),
    pod: targetRef?.kind === 'Pod' ? `${targetRef.namespace ?? ''}/${targetRef.name ?? ''}` : undefined,
  };
}

function namesOf(hints: readonly { readonly name?: string }[] | undefined): readonly string[] | undefined {
  return hints && hints.length > 0 ? hints.map((hint) => hint.name ?? '') : undefined;
}

/** A port without a number stands for all ports of the endpoint: nothing a frontend can forward to. */
function readPorts(slice: EndpointSlice): SlicePort[] {
  const ports: SlicePort[] = [];
  for (const { name, protocol, port } of slice.ports ?? []) {
    if (port !== undefined && port !== null) ports.push({ name: name ?? '', protocol: readProtocol(protocol), port });
  }
  return ports;
}

/** TCP is the default of both ServicePort and EndpointPort. */
export function readProtocol(protocol: string | undefined): Protocol {
  return protocol === 'UDP' || protocol === 'SCTP' ? protocol : 'TCP';
}
