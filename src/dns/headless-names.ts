import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { endpointLabel, readyAddress } from './endpoint-label.ts';
import { emptyName, recordSets } from './name-data.ts';
import type { ListedName } from './listed-names.ts';
import type { NameData } from './name-data.ts';
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

/** A ready endpoint; its reverse name leads to its name. */
interface Host extends ReverseEntry {
  /** Its topology zone, lower case, where it matters. */
  readonly zone: string | undefined;
}

/** Reads a slice; `base` is the name of its Service. */
export function readHeadlessSlice(slice: EndpointSlice, base: Name, scheme: NamingScheme): HeadlessSlice {
  const { clusterLabel, namesByPod, zonal } = scheme;
  const id = clusterLabel === undefined ? undefined : slice.metadata.labels?.[clusterLabel]?.toLowerCase();
  const cluster = id !== undefined && /^(?!.*\.)[!-~]{1,63}$/.test(id) ? id : undefined;
  const parent = cluster === undefined ? base : childName(base, cluster);
  const hosts: Host[] = [];
  for (const endpoint of slice.endpoints ?? []) {
    const address = readyAddress(endpoint, slice.addressType);
    if (address === undefined) continue;
    const target = childName(parent, endpointLabel(endpoint, address, namesByPod));
    // A cluster's id may make it too long: such an endpoint has no name to give.
    if (target.length > longestName) continue;
    hosts.push({
      address,
      target,
      hasHostname: Boolean(endpoint.hostname),
      zone: zonal ? endpoint.zone?.toLowerCase() : undefined,
    });
  }
  const ports = (slice.ports ?? []).flatMap(({ name, protocol, port }) =>
    port === undefined ? [] : [{ name: name ?? '', protocol: protocol ?? 'TCP', port }],
  );
  return { hosts, ports, cluster };
}

/** A port of one endpoint. */
interface HostPort extends NamedPort {
  readonly target: Name;
}

/**
 * Names of a headless Service: rules R6-R9 of the specification; R11: without ready endpoints no name exists. Nothing is
 * put together before it is asked for, so a change costs no more than reading the slice that changed.
 */
export function namesOfHeadless(source: string, scheme: NamingScheme, slices: readonly HeadlessSlice[]): ServiceNames {
  const used = slices.filter((slice) => slice.hosts.length > 0);
  const byName = once(() =>
    Map.groupBy(
      used.flatMap((slice) => slice.hosts),
      (host) => host.target,
    ),
  );
  const whole = once(() => dataOf(used));
  const { ttl } = scheme;

  /** Addresses, and SRV of all ports, of some endpoints. */
  function dataOf(some: readonly HeadlessSlice[]): NameData {
    const hosts = once(() => some.flatMap((slice) => slice.hosts));
    const ports = once(() => hostPorts(some, (all) => all));
    const sets = recordSets({
      ...addressSets(() => hosts().map((host) => host.address)),
      [typeNumbers.SRV]: () => srvSet(ports()),
    });
    return { source, ttl, sets, glue: () => glueOf(ports()), owner: names };
  }

  function glueOf(records: readonly HostPort[]): ResourceRecord[] {
    const found = new Map<string, ResourceRecord>();
    for (const target of new Set(records.map((record) => record.target))) {
      for (const { address } of byName().get(target) ?? []) {
        for (const record of addressRecords(target, address, ttl)) found.set(`${address} ${target}`, record);
      }
    }
    return [...found.values()];
  }

  function belowOne(label: string): NameData | undefined {
    const isEmpty =
      (scheme.zonal && label === zonalLabel) ||
      used.some((slice) => slice.cluster === label || isProtocolOf(slice.ports, label));
    return isEmpty ? emptyName(source) : undefined;
  }

  function belowTwo(first: string, second: string): NameData | undefined {
    if (scheme.zonal && second === zonalLabel) return isZonalMode(first) ? emptyName(source) : undefined;
    const asked = hostPorts(used, (some) => portsNamed(some, first, second));
    if (asked.length === 0) return undefined;
    const sets = recordSets({ [typeNumbers.SRV]: () => srvSet(asked) });
    return { source, ttl, sets, glue: () => glueOf(asked), owner: names };
  }

  /** `<zone>.pin._zone`: the endpoints there, if any; `<zone>.prefer._zone`: all when there are none. */
  function inZone(zone: string, mode: string): NameData | undefined {
    if (!isZonalMode(mode)) return undefined;
    const there = used.map((slice) => ({ ...slice, hosts: slice.hosts.filter((host) => host.zone === zone) }));
    const isEmpty = there.every(({ hosts }) => hosts.length === 0);
    return isEmpty && mode === 'prefer' ? whole() : dataOf(there);
  }

  function listedBelow(key: Name, labels: readonly string[]): ListedName[] {
    const data = names.below(key, labels);
    return data === undefined ? [] : [[key, data]];
  }

  const names: ServiceNames = {
    isCurrent: true,
    base: () => (used.length === 0 ? undefined : whole()),
    below(key, labels) {
      if (used.length === 0) return undefined;
      const hosts = byName().get(key);
      if (hosts !== undefined) {
        return { source, ttl, sets: recordSets(addressSets(() => hosts.map((host) => host.address))), owner: names };
      }
      const [first = '', second = '', third] = labels;
      if (labels.length === 1) return belowOne(first);
      if (labels.length === 2) return belowTwo(first, second);
      return scheme.zonal && labels.length === 3 && third === zonalLabel ? inZone(first, second) : undefined;
    },
    *listed(base) {
      if (used.length === 0) return;
      yield [base, whole()];
      yield* listedPorts(
        base,
        used.flatMap(({ ports }) => ports),
        names,
      );
      for (const key of byName().keys()) yield* listedBelow(key, []);
      for (const zone of new Set(used.flatMap(({ hosts }) => hosts.map((host) => host.zone)))) {
        if (zone === undefined) continue;
        for (const mode of zonalModes) {
          const key = [zonalLabel, mode, zone].reduce(childName, base);
          yield* listedBelow(key, [zone, mode, zonalLabel]);
        }
      }
    },
    reverse: used.map((slice) => slice.hosts),
  };
  return names;
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
