import type { Endpoint, EndpointPort, EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { canonicalIp } from '../lib/ip.ts';
import type { Family } from '../lib/ip.ts';
import type { Backend, Protocol } from './frontend.ts';
import { isLeftToOthers, plainName } from './labels.ts';
import { isSameList } from './same-frontend.ts';
import { shortList } from './notice.ts';
import type { NoticeReason } from './notice.ts';
import { specialKindOf } from './special-address.ts';
import { weightOf, weightsOf } from './weights.ts';
import type { Weights } from './weights.ts';

/** What an endpoint may get, besides its weight. Endpoints of a slice that agree share one. */
export interface Standing {
  /** May get new connections. */
  readonly ready: boolean;
  /** Works, but is on its way out: the fallback when nothing is ready (KEP-1669). */
  readonly draining: boolean;
  /** It is told which node it is on. */
  readonly isPlaced: boolean;
  /** Topology hints: zones and nodes whose clients should use this endpoint; undefined when the slice gives none. */
  readonly forZones: readonly string[] | undefined;
  readonly forNodes: readonly string[] | undefined;
}

/** A port of a slice, under the name and protocol that the Service's port has. */
export interface SlicePort {
  readonly name: string;
  readonly protocol: Protocol;
  /** Sorted by address, each address once. */
  readonly backends: readonly Backend[];
}

/** What routing keeps of one EndpointSlice: read once when the slice changes, shared by all that forwards to it. */
export interface ReadSlice {
  readonly name: string;
  readonly family: Family;
  readonly ports: readonly SlicePort[];
  /** In the order of the backends of every port. */
  readonly standings: readonly Standing[];
  /** What could not be read, and was left out. */
  readonly problems: readonly SliceProblem[];
}

export interface SliceProblem {
  readonly reason: NoticeReason;
  readonly message: string;
}

/** Reads a slice; undefined for one that routing ignores: FQDN, of another proxy, or headless by label. */
export function readSlice(slice: EndpointSlice, nodeName: string, allowLoopback: boolean): ReadSlice | undefined {
  const family = slice.addressType;
  if ((family !== 'IPv4' && family !== 'IPv6') || isLeftToOthers(slice)) return undefined;
  const name = slice.metadata.name ?? '';
  const problems: SliceProblem[] = [];
  const complain = (reason: NoticeReason, problem: string): void => {
    problems.push({ reason, message: `EndpointSlice ${name}: ${problem}` });
  };
  const endpoints = readEndpoints(slice, family, allowLoopback, complain);
  const weights = weightsOf(slice, (problem) => complain('InvalidAnnotation', problem));
  const isHere = localTest(endpoints, (it) => it.endpoint.nodeName === nodeName);
  const unique = endpoints.filter((it, index) => it.address !== endpoints[index - 1]?.address);
  const ports = readPorts(slice, complain).map(({ port, ...rest }): SlicePort => ({
    ...rest,
    backends: unique.map((it) => backendOf(it, port, weights, isHere(it))),
  }));
  return {
    name,
    family,
    ports,
    standings: unique.map((it) => it.standing),
    problems: problems.length > 0 ? problems : noProblems,
  };
}

const noProblems: readonly SliceProblem[] = [];

interface ReadEndpoint {
  readonly address: string;
  readonly endpoint: Endpoint;
  readonly standing: Standing;
}

type Complain = (reason: NoticeReason, problem: string) => void;

/** Sorted by address; the first of each is the one to keep. */
function readEndpoints(
  slice: EndpointSlice,
  family: Family,
  allowLoopback: boolean,
  complain: Complain,
): readonly ReadEndpoint[] {
  const standings = new Standings();
  const endpoints: ReadEndpoint[] = [];
  const refused: string[] = [];
  for (const endpoint of slice.endpoints ?? []) {
    // Consumers use the first address only (discovery/v1 Endpoint.addresses).
    const text = endpoint.addresses?.[0] ?? '';
    const address = canonicalIp(text);
    const wrong = address === undefined ? `no ${family} address` : wrongWith(address, family, allowLoopback);
    if (address === undefined || wrong !== undefined) refused.push(`"${text}" is ${wrong}`);
    else endpoints.push({ address, endpoint, standing: standings.of(endpoint) });
  }
  if (refused.length > 0) complain('InvalidEndpoint', `endpoints left out: ${shortList(refused)}`);
  return endpoints.sort(byAddress);
}

/**
 * Whether endpoints are on this node: as they say themselves (a Pod may have the address of one that ends on another node),
 * and where they do not say, as another one of the same address does.
 */
export function localTest<T extends { readonly address: string; readonly standing: Standing }>(
  endpoints: readonly T[],
  saysHere: (endpoint: T) => boolean,
): (endpoint: T) => boolean {
  const here = new Set(endpoints.filter(saysHere).map(({ address }) => address));
  return (endpoint) => saysHere(endpoint) || (!endpoint.standing.isPlaced && here.has(endpoint.address));
}

function wrongWith(address: string, family: Family, allowLoopback: boolean): string | undefined {
  if (address.includes(':') !== (family === 'IPv6')) return `no ${family} address`;
  return specialKindOf(address, allowLoopback);
}

/** Of one address the most ready first. */
function byAddress(a: ReadEndpoint, b: ReadEndpoint): number {
  if (a.address !== b.address) return a.address < b.address ? -1 : 1;
  return readiness(b.standing) - readiness(a.standing);
}

/** 2: ready, 1: the fallback, 0: neither. */
export function readiness(standing: Standing): number {
  return standing.ready ? 2 : standing.draining ? 1 : 0;
}

function backendOf(
  { address, endpoint: { targetRef } }: ReadEndpoint,
  port: number,
  weights: Weights,
  local: boolean,
): Backend {
  const weight = weightOf(weights, address);
  const backend = { address, port, weight, local };
  if (targetRef?.kind !== 'Pod') return backend;
  return { ...backend, pod: plainName(`${targetRef.namespace ?? ''}/${targetRef.name ?? ''}`) };
}

/** The standings of one slice, each once. */
class Standings {
  readonly #known: Standing[] = [];

  /** Nil conditions mean ready, serving and not terminating (discovery/v1 EndpointConditions). */
  of({ conditions, hints, nodeName }: Endpoint): Standing {
    const ready = conditions?.ready ?? true;
    const draining = (conditions?.serving ?? true) && (conditions?.terminating ?? false);
    const isPlaced = nodeName !== undefined && nodeName !== null;
    const forZones = namesOf(hints?.forZones);
    const forNodes = namesOf(hints?.forNodes);
    const isSame = (known: Standing): boolean =>
      known.ready === ready &&
      known.draining === draining &&
      known.isPlaced === isPlaced &&
      isSameList(known.forZones, forZones) &&
      isSameList(known.forNodes, forNodes);
    const known = this.#known.find(isSame);
    if (known !== undefined) return known;
    const standing = { ready, draining, isPlaced, forZones, forNodes };
    this.#known.push(standing);
    return standing;
  }
}

function namesOf(hints: readonly { readonly name?: string }[] | undefined): readonly string[] | undefined {
  return hints && hints.length > 0 ? hints.map((hint) => hint.name ?? '') : undefined;
}

type ReadPort = Omit<SlicePort, 'backends'> & { readonly port: number };

/** A port without a number stands for all ports of the endpoint: nothing a frontend can forward to. */
function readPorts(slice: EndpointSlice, complain: Complain): ReadPort[] {
  return (slice.ports ?? []).flatMap((it: EndpointPort) => {
    const { name, port } = it;
    if (port === undefined || port === null) return [];
    const protocol = readProtocol(it.protocol);
    if (protocol !== undefined && isPort(port)) return [{ name: name ?? '', protocol, port }];
    complain('InvalidEndpoint', `no port and left out: ${port}/${it.protocol}`);
    return [];
  });
}

/** TCP is the default of both ServicePort and EndpointPort; undefined for a protocol that there is not. */
export function readProtocol(protocol: string | undefined): Protocol | undefined {
  const known = protocol ?? 'TCP';
  return known === 'TCP' || known === 'UDP' || known === 'SCTP' ? known : undefined;
}

export function isPort(port: unknown): port is number {
  return Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65_535;
}
