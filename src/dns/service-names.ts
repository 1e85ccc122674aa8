import type { Service } from '../api/core/service.ts';
import type { Endpoint, EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { canonicalIp, dashedIp, parseIp } from '../lib/ip.ts';
import { emptyName } from './name-data.ts';
import type { NameData, Owner } from './name-data.ts';
import type { ResourceRecord } from './wire/message.ts';
import { parseName } from './wire/names.ts';
import type { Name } from './wire/names.ts';
import { srvRdata } from './wire/rdata.ts';
import { classIn, typeNumbers } from './wire/types.ts';

/** Where the names of Services live. */
export interface NamingScheme {
  /** The cluster zone, lower case. */
  readonly zone: Name;
  /** Seconds. */
  readonly ttl: number;
}

/** An address that answers under a name, with the reverse name's target. */
export interface ReverseEntry {
  readonly address: string;
  readonly target: Name;
  /** The endpoint has a hostname of its own: the best of several names for one address. */
  readonly hasHostname: boolean;
}

/** The names of one version of a Service: its own, those of its ports, and those of its endpoints when headless. */
export interface ServiceNames extends Owner {
  /** `<svc>.<ns>.svc.<zone>`. */
  base(): NameData | undefined;
  /** One label before it: an endpoint of a headless Service, or `_tcp`. */
  below(label: string): NameData | undefined;
  /** `_<port>._<proto>` before it. */
  port(name: string, protocol: string): NameData | undefined;
  readonly reverse: readonly ReverseEntry[];
}

interface PortRecord {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  readonly target: Name;
}

interface Addresses {
  readonly v4: Uint8Array[];
  readonly v6: Uint8Array[];
}

/** A host that SRV records may point to, with its addresses. */
type Hosts = Map<Name, Addresses>;

/** Names of a Service with its slices; rules R2-R11 of the specification (kubernetes/dns, schema 1.1.0). */
export function namesOfService(service: Service, slices: Iterable<EndpointSlice>, scheme: NamingScheme): ServiceNames {
  const { name = '', namespace = '' } = service.metadata;
  const base = below(below(`\x03svc${scheme.zone}`, namespace), name);
  const source = `Service ${namespace}/${name}`;
  const clusterIps = clusterIpsOf(service);
  if (service.spec?.type === 'ExternalName') return namesOfAlias(service, source, scheme);
  if (clusterIps.length === 0) return namesOfHosts(source, scheme, readEndpoints(slices, base));
  return namesOfClusterIps(service, clusterIps, source, base, scheme);
}

/** Whether the names of a Service depend on its slices: only headless ones do. */
export function isHeadless(service: Service | undefined): boolean {
  return service !== undefined && service.spec?.type !== 'ExternalName' && clusterIpsOf(service).length === 0;
}

function below(parent: Name, label: string): Name {
  return `${String.fromCharCode(label.length)}${label.toLowerCase()}${parent}`;
}

function clusterIpsOf(service: Service): string[] {
  const texts = service.spec?.clusterIPs ?? [service.spec?.clusterIP ?? ''];
  return texts.map(canonicalIp).filter((address) => address !== undefined);
}

/** R10: an alias and nothing below it. A malformed external name leaves a name without records. */
function namesOfAlias(service: Service, source: string, { ttl }: NamingScheme): ServiceNames {
  const target = parseName((service.spec?.externalName ?? '').toLowerCase());
  const names: ServiceNames = {
    isCurrent: true,
    base: () => (target === undefined ? emptyName(source) : { source, ttl, alias: target, sets: new Map() }),
    below: () => undefined,
    port: () => undefined,
    reverse: [],
  };
  return names;
}

/** R2-R5. */
function namesOfClusterIps(
  service: Service,
  clusterIps: readonly string[],
  source: string,
  base: Name,
  scheme: NamingScheme,
): ServiceNames {
  const hosts: Hosts = new Map([[base, addressesOf(clusterIps)]]);
  const ports = (service.spec?.ports ?? []).map(({ name = '', protocol = 'TCP', port = 0 }): PortRecord => ({
    name,
    protocol,
    port,
    target: base,
  }));
  const reverse = clusterIps.map((address): ReverseEntry => ({ address, target: base, hasHostname: true }));
  return assemble(source, scheme, hosts, ports, new Map(), reverse);
}

/** What ready endpoints of a headless Service add up to. */
interface HeadlessEndpoints {
  readonly hosts: Hosts;
  readonly byLabel: Map<string, Name>;
  readonly ports: readonly PortRecord[];
  readonly reverse: readonly ReverseEntry[];
}

/** R6-R9; R11: without ready endpoints no name exists. */
function namesOfHosts(source: string, scheme: NamingScheme, endpoints: HeadlessEndpoints): ServiceNames {
  const { hosts, byLabel, ports, reverse } = endpoints;
  if (hosts.size > 0) return assemble(source, scheme, hosts, ports, byLabel, reverse);
  return { isCurrent: true, base: () => undefined, below: () => undefined, port: () => undefined, reverse: [] };
}

function readEndpoints(slices: Iterable<EndpointSlice>, base: Name): HeadlessEndpoints {
  const hosts: Hosts = new Map();
  const byLabel = new Map<string, Name>();
  const ports = new Map<string, PortRecord>();
  const reverse = new Map<string, ReverseEntry>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4' && slice.addressType !== 'IPv6') continue;
    for (const endpoint of slice.endpoints ?? []) {
      const address = readyAddress(endpoint, slice.addressType);
      if (address === undefined) continue;
      const label = (endpoint.hostname || dashedIp(address)).toLowerCase();
      const host = below(base, label);
      byLabel.set(label, host);
      addAddress(hosts, host, address);
      reverse.set(`${address} ${label}`, { address, target: host, hasHostname: Boolean(endpoint.hostname) });
      for (const { name, protocol, port } of slice.ports ?? []) {
        if (port === undefined) continue;
        const record: PortRecord = { name: name ?? '', protocol: protocol ?? 'TCP', port, target: host };
        ports.set(`${record.name} ${record.protocol} ${port} ${label}`, record);
      }
    }
  }
  return { hosts, byLabel, ports: [...ports.values()], reverse: [...reverse.values()] };
}

/** Readiness is all DNS needs: the slice controller has applied publishNotReadyAddresses already. */
function readyAddress(endpoint: Endpoint, family: 'IPv4' | 'IPv6'): string | undefined {
  if (endpoint.conditions?.ready === false) return undefined;
  const address = canonicalIp(endpoint.addresses?.[0] ?? '');
  return address?.includes(':') === (family === 'IPv6') ? address : undefined;
}

function addAddress(hosts: Hosts, host: Name, address: string): void {
  let entry = hosts.get(host);
  if (entry === undefined) hosts.set(host, (entry = { v4: [], v6: [] }));
  const bytes = parseIp(address);
  if (bytes === undefined) return;
  const list = bytes.length === 4 ? entry.v4 : entry.v6;
  if (!list.some((other) => Buffer.compare(other, bytes) === 0)) list.push(bytes);
}

function addressesOf(texts: readonly string[]): Addresses {
  const hosts: Hosts = new Map([['', { v4: [], v6: [] }]]);
  for (const text of texts) addAddress(hosts, '', text);
  return hosts.get('') ?? { v4: [], v6: [] };
}

/** The lookups over hosts and ports. What is found is built when asked for, not before. */
function assemble(
  source: string,
  { ttl }: NamingScheme,
  hosts: Hosts,
  ports: readonly PortRecord[],
  byLabel: ReadonlyMap<string, Name>,
  reverse: readonly ReverseEntry[],
): ServiceNames {
  const data = (addresses: Iterable<Addresses>, srv: readonly PortRecord[]): NameData => ({
    source,
    ttl,
    sets: setsOf(addresses, srv),
    glue: glueOf(hosts, srv, ttl),
    owner: names,
  });
  // The base is asked for most, in every type: it is put together once.
  let base: NameData | undefined;
  const names: ServiceNames = {
    isCurrent: true,
    base: () => (base ??= data(hosts.values(), ports)),
    below(label) {
      const host = byLabel.get(label);
      if (host !== undefined) return data([hosts.get(host) ?? { v4: [], v6: [] }], []);
      return ports.some((port) => port.name !== '' && label === protocolLabel(port)) ? emptyName(source) : undefined;
    },
    port(name, protocol) {
      const asked = ports.filter(
        (port) => port.name !== '' && `_${port.name}` === name && protocolLabel(port) === protocol,
      );
      return asked.length === 0 ? undefined : data([], asked);
    },
    reverse,
  };
  return names;
}

function protocolLabel(port: PortRecord): string {
  return `_${port.protocol.toLowerCase()}`;
}

function setsOf(addresses: Iterable<Addresses>, ports: readonly PortRecord[]): Map<number, Uint8Array[]> {
  const v4 = new Map<string, Uint8Array>();
  const v6 = new Map<string, Uint8Array>();
  for (const entry of addresses) {
    for (const bytes of entry.v4) v4.set(bytes.join(), bytes);
    for (const bytes of entry.v6) v6.set(bytes.join(), bytes);
  }
  const sets = new Map<number, Uint8Array[]>();
  if (v4.size > 0) sets.set(typeNumbers.A, [...v4.values()]);
  if (v6.size > 0) sets.set(typeNumbers.AAAA, [...v6.values()]);
  // Even shares of 100, as CoreDNS gives them; the specification leaves priority and weight free.
  const weight = Math.max(1, Math.floor(100 / Math.max(1, ports.length)));
  const srv = ports.map(({ port, target }) => srvRdata(0, weight, port, target));
  if (srv.length > 0) sets.set(typeNumbers.SRV, srv);
  return sets;
}

function glueOf(hosts: Hosts, ports: readonly PortRecord[], ttl: number): ResourceRecord[] {
  const glue: ResourceRecord[] = [];
  for (const target of new Set(ports.map((port) => port.target))) {
    const { v4, v6 } = hosts.get(target) ?? { v4: [], v6: [] };
    for (const rdata of v4) glue.push({ name: target, type: typeNumbers.A, class: classIn, ttl, rdata });
    for (const rdata of v6) glue.push({ name: target, type: typeNumbers.AAAA, class: classIn, ttl, rdata });
  }
  return glue;
}
