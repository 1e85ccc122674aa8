import type { Endpoint, EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { dashedIp } from '../lib/ip.ts';
import { ownLabel, readyAddress } from './endpoint-label.ts';
import { emptyName, recordSets } from './name-data.ts';
import type { ListedName } from './listed-names.ts';
import type { Keeper, NameData } from './name-data.ts';
import {
  addressRecords,
  addressSets,
  childName,
  isProtocolOf,
  listedPorts,
  portsNamed,
  srvSet,
} from './service-names.ts';
import type { NamedPort, NamingScheme, ReverseEntry, ServiceNames } from './service-names.ts';
import type { ResourceRecord } from './wire/message.ts';
import { longestName } from './wire/names.ts';
import type { Name } from './wire/names.ts';
import { typeNumbers } from './wire/types.ts';

/** What names need of one slice of a headless Service: read once when the slice changes. */
export interface HeadlessSlice {
  readonly hosts: readonly Host[];
  readonly ports: readonly NamedPort[];
  /** Id of the cluster it comes from, lower case: a label of its endpoints' names; undefined for this cluster. */
  readonly cluster: string | undefined;
}

/** A ready endpoint; its reverse name leads to its name. There are many: what can be told from its address is not kept. */
class Host implements ReverseEntry {
  readonly address: string;
  readonly hasHostname: boolean;
  /** Its topology zone, lower case, where it matters. */
  readonly zone: string | undefined;
  readonly #label: string | undefined;
  readonly #parent: Name;

  constructor(endpoint: Endpoint, address: string, parent: Name, { namesByPod, zonal }: NamingScheme) {
    this.address = address;
    this.hasHostname = Boolean(endpoint.hostname);
    this.zone = zonal ? endpoint.zone?.toLowerCase() : undefined;
    this.#label = ownLabel(endpoint, namesByPod);
    this.#parent = parent;
  }

  get target(): Name {
    return childName(this.#parent, this.#label ?? dashedIp(this.address));
  }

  isAs(other: Host): boolean {
    return (
      this.address === other.address &&
      this.#label === other.#label &&
      this.hasHostname === other.hasHostname &&
      this.zone === other.zone &&
      this.#parent === other.#parent
    );
  }
}

/**
 * Reads a slice; `base` is the name of its Service, `before` what was read of the slice last: endpoints that are as they were
 * stay the same objects.
 */
export function readHeadlessSlice(
  slice: EndpointSlice,
  base: Name,
  scheme: NamingScheme,
  before?: HeadlessSlice,
): HeadlessSlice {
  const id =
    scheme.clusterLabel === undefined ? undefined : slice.metadata.labels?.[scheme.clusterLabel]?.toLowerCase();
  const cluster = id !== undefined && /^(?!.*\.)[!-~]{1,63}$/.test(id) ? id : undefined;
  const parent = cluster === undefined ? base : childName(base, cluster);
  const known = new Map(before?.hosts.map((host) => [host.address, host]));
  const hosts: Host[] = [];
  for (const endpoint of slice.endpoints ?? []) {
    const address = readyAddress(endpoint, slice.addressType);
    if (address === undefined) continue;
    const host = new Host(endpoint, address, parent, scheme);
    // A cluster's id may make it too long: such an endpoint has no name to give.
    if (parent.length + longestLabel > longestName && host.target.length > longestName) continue;
    const same = known.get(address);
    hosts.push(same?.isAs(host) === true ? same : host);
  }
  const ports = (slice.ports ?? []).flatMap(({ name, protocol, port }) =>
    port === undefined ? [] : [{ name: name ?? '', protocol: protocol ?? 'TCP', port }],
  );
  return { hosts, ports, cluster };
}

/** With its length. */
const longestLabel = 64;

/** A port of one endpoint. */
interface HostPort extends NamedPort {
  readonly target: Name;
}

/**
 * Names of a headless Service: rules R6-R9 of the specification; R11: without ready endpoints no name exists. Nothing is
 * put together before it is asked for, so a change costs no more than reading the slice that changed; nor is it kept, but as
 * the answer it went into.
 */
export class HeadlessNames implements ServiceNames {
  readonly isCurrent = true;
  readonly keeper?: Keeper;
  readonly keptAs?: number;
  readonly #source: string;
  readonly #scheme: NamingScheme;
  /** Those with endpoints. */
  readonly #slices: readonly HeadlessSlice[];
  #hosts: ReadonlyMap<Name, readonly Host[]> | undefined;

  /** `source` is for people: `Service shop/cart`. */
  constructor(source: string, scheme: NamingScheme, slices: readonly HeadlessSlice[]) {
    this.#source = source;
    this.#scheme = scheme;
    this.#slices = slices.filter((slice) => slice.hosts.length > 0);
  }

  get reverse(): readonly (readonly ReverseEntry[])[] {
    return this.#slices.map((slice) => slice.hosts);
  }

  base(): NameData | undefined {
    return this.#slices.length === 0 ? undefined : this.#dataOf(this.#slices);
  }

  below(key: Name, labels: readonly string[]): NameData | undefined {
    if (this.#slices.length === 0) return undefined;
    const hosts = this.#byName().get(key);
    if (hosts !== undefined) return this.#data(addressSets(() => hosts.map((host) => host.address)));
    const [first = '', second = '', third] = labels;
    if (labels.length === 1) return this.#belowOne(first);
    if (labels.length === 2) return this.#belowTwo(first, second);
    return this.#scheme.zonal && labels.length === 3 && third === zonalLabel ? this.#inZone(first, second) : undefined;
  }

  *listed(base: Name): Generator<ListedName> {
    const whole = this.base();
    if (whole === undefined) return;
    yield [base, whole];
    const ports = this.#slices.flatMap((slice) => slice.ports);
    yield* listedPorts(base, ports, { below: (key, labels) => this.below(key, labels) });
    for (const key of this.#byName().keys()) yield* this.#listedBelow(key, []);
    for (const zone of new Set(this.#slices.flatMap(({ hosts }) => hosts.map((host) => host.zone)))) {
      if (zone === undefined) continue;
      for (const mode of zonalModes) {
        const key = [zonalLabel, mode, zone].reduce(childName, base);
        yield* this.#listedBelow(key, [zone, mode, zonalLabel]);
      }
    }
  }

  #byName(): ReadonlyMap<Name, readonly Host[]> {
    return (this.#hosts ??= Map.groupBy(
      this.#slices.flatMap((slice) => slice.hosts),
      (host) => host.target,
    ));
  }

  #data(sets: Parameters<typeof recordSets>[0], glue?: NameData['glue']): NameData {
    return { source: this.#source, ttl: this.#scheme.ttl, sets: recordSets(sets), glue, owner: this };
  }

  /** Addresses, and SRV of all ports, of some endpoints. */
  #dataOf(some: readonly HeadlessSlice[]): NameData {
    const addresses = (): string[] => some.flatMap((slice) => slice.hosts.map((host) => host.address));
    const ports = once(() => hostPorts(some, (all) => all));
    const sets = { ...addressSets(addresses), [typeNumbers.SRV]: () => srvSet(ports()) };
    return this.#data(sets, () => this.#glueOf(ports()));
  }

  #glueOf(records: readonly HostPort[]): ResourceRecord[] {
    const found = new Map<string, ResourceRecord>();
    for (const target of new Set(records.map((record) => record.target))) {
      for (const { address } of this.#byName().get(target) ?? []) {
        for (const record of addressRecords(target, address, this.#scheme.ttl))
          found.set(`${address} ${target}`, record);
      }
    }
    return [...found.values()];
  }

  #belowOne(label: string): NameData | undefined {
    const isEmpty =
      (this.#scheme.zonal && label === zonalLabel) ||
      this.#slices.some((slice) => slice.cluster === label || isProtocolOf(slice.ports, label));
    return isEmpty ? emptyName(this.#source) : undefined;
  }

  #belowTwo(first: string, second: string): NameData | undefined {
    if (this.#scheme.zonal && second === zonalLabel) return isZonalMode(first) ? emptyName(this.#source) : undefined;
    const asked = hostPorts(this.#slices, (some) => portsNamed(some, first, second));
    if (asked.length === 0) return undefined;
    return this.#data({ [typeNumbers.SRV]: () => srvSet(asked) }, () => this.#glueOf(asked));
  }

  /** `<zone>.pin._zone`: the endpoints there, if any; `<zone>.prefer._zone`: all when there are none. */
  #inZone(zone: string, mode: string): NameData | undefined {
    if (!isZonalMode(mode)) return undefined;
    const there = this.#slices.map((slice) => ({ ...slice, hosts: slice.hosts.filter((host) => host.zone === zone) }));
    const isEmpty = there.every(({ hosts }) => hosts.length === 0);
    return isEmpty && mode === 'prefer' ? this.base() : this.#dataOf(there);
  }

  #listedBelow(key: Name, labels: readonly string[]): ListedName[] {
    const data = this.below(key, labels);
    return data === undefined ? [] : [[key, data]];
  }
}

const zonalLabel = '_zone';
const zonalModes = ['pin', 'prefer'];

function isZonalMode(label: string): boolean {
  return zonalModes.includes(label);
}

/** The chosen ports of every endpoint. An endpoint that is in two slices counts once. */
function hostPorts(
  slices: readonly HeadlessSlice[],
  choose: (ports: readonly NamedPort[]) => readonly NamedPort[],
): HostPort[] {
  const found = new Map<string, HostPort>();
  for (const { hosts, ports } of slices) {
    for (const port of choose(ports)) {
      for (const { target } of hosts) {
        found.set(`${port.name} ${port.protocol} ${port.port} ${target}`, { ...port, target });
      }
    }
  }
  return [...found.values()];
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
