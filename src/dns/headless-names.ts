import type { Endpoint, EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { canonicalIp, dashedIp } from '../lib/ip.ts';
import { emptyName, recordSets } from './name-data.ts';
import type { NameData } from './name-data.ts';
import { addressRecords, addressSets, childName, isProtocolOf, portsNamed, srvSet } from './service-names.ts';
import type { NamedPort, NamingScheme, ReverseEntry, ServiceNames } from './service-names.ts';
import type { ResourceRecord } from './wire/message.ts';
import type { Name } from './wire/names.ts';
import { typeNumbers } from './wire/types.ts';

/** What names need of one slice of a headless Service: read once when the slice changes. */
export interface HeadlessSlice {
  readonly hosts: readonly Host[];
  readonly ports: readonly NamedPort[];
  readonly reverse: readonly ReverseEntry[];
}

/** A ready endpoint. */
interface Host {
  /** Its hostname, else its address with dashes; lower case. */
  readonly label: string;
  readonly name: Name;
  readonly address: string;
}

/** Reads a slice; `base` is the name of its Service. FQDN slices have nothing for DNS. */
export function readHeadlessSlice(slice: EndpointSlice, base: Name): HeadlessSlice {
  const hosts: Host[] = [];
  const reverse: ReverseEntry[] = [];
  for (const endpoint of slice.endpoints ?? []) {
    const address = readyAddress(endpoint, slice.addressType);
    if (address === undefined) continue;
    const label = (endpoint.hostname || dashedIp(address)).toLowerCase();
    const name = childName(base, label);
    hosts.push({ label, name, address });
    reverse.push({ address, target: name, hasHostname: Boolean(endpoint.hostname) });
  }
  const ports = (slice.ports ?? []).flatMap(({ name, protocol, port }) =>
    port === undefined ? [] : [{ name: name ?? '', protocol: protocol ?? 'TCP', port }],
  );
  return { hosts, ports, reverse };
}

/** Readiness is all DNS needs: the slice controller has applied publishNotReadyAddresses already. */
function readyAddress(endpoint: Endpoint, family: string): string | undefined {
  if (endpoint.conditions?.ready === false || (family !== 'IPv4' && family !== 'IPv6')) return undefined;
  const address = canonicalIp(endpoint.addresses?.[0] ?? '');
  return address?.includes(':') === (family === 'IPv6') ? address : undefined;
}

/** A port of one endpoint. */
interface HostPort extends NamedPort {
  readonly target: Name;
}

/**
 * Names of a headless Service: rules R6-R9 of the specification; R11: without ready endpoints no name exists. Nothing is
 * put together before it is asked for, so a change costs no more than reading the slice that changed.
 */
export function namesOfHeadless(source: string, { ttl }: NamingScheme, slices: readonly HeadlessSlice[]): ServiceNames {
  const used = slices.filter((slice) => slice.hosts.length > 0);
  const allHosts = once(() => used.flatMap((slice) => slice.hosts));
  const byLabel = once(() => Map.groupBy(allHosts(), (host) => host.label));
  const ports = used.flatMap((slice) => slice.ports);
  const data = (sets: NameData['sets'], glue?: NameData['glue']): NameData => ({
    source,
    ttl,
    sets,
    glue,
    owner: names,
  });
  const glueOf = (records: readonly HostPort[]) => (): ResourceRecord[] => {
    const targets = new Set(records.map(({ target }) => target));
    const hosts = new Map(allHosts().map((host) => [`${host.address} ${host.label}`, host]));
    return [...hosts.values()].flatMap((it) => (targets.has(it.name) ? addressRecords(it.name, it.address, ttl) : []));
  };
  const base = once((): NameData => {
    const all = once(() => hostPorts(used, (some) => some));
    const sets = recordSets({
      ...addressSets(() => allHosts().map((host) => host.address)),
      [typeNumbers.SRV]: () => srvSet(all()),
    });
    return data(sets, () => glueOf(all())());
  });
  const names: ServiceNames = {
    isCurrent: true,
    base: () => (used.length === 0 ? undefined : base()),
    below(label) {
      const hosts = byLabel().get(label);
      if (hosts !== undefined) return data(recordSets(addressSets(() => hosts.map((host) => host.address))));
      return isProtocolOf(ports, label) ? emptyName(source) : undefined;
    },
    port(name, protocol) {
      const asked = hostPorts(used, (some) => portsNamed(some, name, protocol));
      if (asked.length === 0) return undefined;
      return data(recordSets({ [typeNumbers.SRV]: () => srvSet(asked) }), glueOf(asked));
    },
    reverse: used.map((slice) => slice.reverse),
  };
  return names;
}

/** The chosen ports of every endpoint. An endpoint that is in two slices counts once. */
function hostPorts(
  slices: readonly HeadlessSlice[],
  choose: (ports: readonly NamedPort[]) => readonly NamedPort[],
): HostPort[] {
  const found = new Map<string, HostPort>();
  for (const { hosts, ports } of slices) {
    for (const port of choose(ports)) {
      for (const { name: target, label } of hosts) {
        found.set(`${port.name} ${port.protocol} ${port.port} ${label}`, { ...port, target });
      }
    }
  }
  return [...found.values()];
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
