import type { Service } from '../api/core/service.ts';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { canonicalIp, parseIp } from '../lib/ip.ts';
import type { ListedName } from './listed-names.ts';
import { aliasName, emptyName, recordSets } from './name-data.ts';
import type { NameData, Owner } from './name-data.ts';
import type { ResourceRecord } from './wire/message.ts';
import { nameKey, parseKey } from './wire/names.ts';
import type { Name } from './wire/names.ts';
import { srvRdata } from './wire/rdata.ts';
import { classIn, typeNumbers } from './wire/types.ts';

/** Where the names of Services live, and which of them there are. */
export interface NamingScheme {
  /** What namespaces are directly below: `svc.<zone>`, lower case. */
  readonly root: Name;
  /** Seconds. */
  readonly ttl: number;
  /** Endpoints without a hostname have the name of their Pod. */
  readonly namesByPod: boolean;
  /** Endpoints of one topology zone have names of their own. */
  readonly zonal: boolean;
  /** Endpoints of Services with a cluster IP have names too. */
  readonly namesAllEndpoints: boolean;
  /** A Service with a cluster IP but no ready endpoint has no names. */
  readonly hidesEmpty: boolean;
  /** Label of a slice with the id of its cluster, which the names of its endpoints then hold; undefined for one cluster. */
  readonly clusterLabel: string | undefined;
}

/** An address that answers under a name: what its reverse name leads to. */
export interface ReverseEntry {
  readonly address: string;
  readonly target: Name;
  /** The endpoint has a hostname of its own: the best of several names for one address. */
  readonly hasHostname: boolean;
}

/** The names of one version of a Service: its own, those of its ports, and those of its endpoints when headless. */
export interface ServiceNames extends Owner {
  /** Names one label below come and go while these stay: that one is missing must not be kept. */
  readonly isOpen?: boolean;
  /** `<svc>.<ns>.svc.<zone>`. */
  base(): NameData | undefined;
  /** A name below it: an endpoint, `_tcp`, `_<port>._<proto>` … `key` is the whole name, `labels` those before the base. */
  below(key: Name, labels: readonly string[]): NameData | undefined;
  /** The names that have records, but those of endpoints that `isOpen` leaves to each question. */
  listed(base: Name): Iterable<ListedName>;
  /** In groups that stay the same objects as long as nothing in them changes, as entries do. */
  readonly reverse: readonly (readonly ReverseEntry[])[];
}

/** A port as SRV records have it. */
export interface NamedPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

/** Name of a Service, lower case; `root` is what namespaces are directly below. */
export function serviceName(namespace: string, name: string, root: Name): Name {
  return childName(childName(root, namespace), name);
}

/** The name one label below another. The label is not empty and has at most 63 characters. */
export function childName(parent: Name, label: string): Name {
  return `${String.fromCharCode(label.length)}${nameKey(label)}${parent}`;
}

/** Whether the names of a Service depend on its slices: only headless ones do. */
export function isHeadless(service: Service | undefined): boolean {
  return service !== undefined && service.spec?.type !== 'ExternalName' && clusterIpsOf(service).length === 0;
}

/** What the names of one Service are made of. */
export interface NamedService {
  readonly service: Service;
  /** What the records come from, for people. */
  readonly source: string;
  /** `<svc>.<ns>.svc.<zone>`. */
  readonly base: Name;
  readonly scheme: NamingScheme;
  /** Its slices at any time. */
  readonly slices: () => Iterable<EndpointSlice>;
  /** Addresses of its ready endpoints under one label, at any time. */
  readonly endpoints: (label: string) => readonly string[];
}

/** Names of a Service that is not headless; rules R2-R5 and R10 of the specification (kubernetes/dns, schema 1.1.0). */
export function namesOfService(named: NamedService): ServiceNames {
  if (named.service.spec?.type === 'ExternalName') return namesOfAlias(named);
  if (named.scheme.hidesEmpty && !hasReadyEndpoint(named.slices())) return noNames();
  return namesOfClusterIps(named);
}

/** Of a Service that nobody shall see. */
function noNames(): ServiceNames {
  return { isCurrent: true, base: () => undefined, below: () => undefined, listed: () => [], reverse: [] };
}

function hasReadyEndpoint(slices: Iterable<EndpointSlice>): boolean {
  for (const { endpoints = [] } of slices)
    if (endpoints.some(({ conditions }) => conditions?.ready !== false)) return true;
  return false;
}

function clusterIpsOf(service: Service): string[] {
  const texts = service.spec?.clusterIPs ?? [service.spec?.clusterIP ?? ''];
  return texts.map(canonicalIp).filter((address) => address !== undefined);
}

/** R10: an alias and nothing below it. A malformed external name leaves a name without records. */
function namesOfAlias({ service, source, scheme: { ttl } }: NamedService): ServiceNames {
  const target = parseKey(service.spec?.externalName ?? '');
  const data = target === undefined ? emptyName(source) : aliasName(source, ttl, target);
  return {
    isCurrent: true,
    base: () => data,
    below: () => undefined,
    listed: (base) => [[base, data]],
    reverse: [],
  };
}

/**
 * R2-R5. Their endpoints have names too, which the specification leaves open and CoreDNS has: those are read from the
 * slices when one is asked for, and answers with them are not kept: nobody who does not ask pays for them.
 */
function namesOfClusterIps({ service, source, base, scheme, endpoints }: NamedService): ServiceNames {
  const clusterIps = clusterIpsOf(service);
  const ports = (service.spec?.ports ?? []).map(({ name = '', protocol = 'TCP', port = 0 }): NamedPort => ({
    name,
    protocol,
    port,
  }));
  const glue = (): ResourceRecord[] => clusterIps.flatMap((address) => addressRecords(base, address, scheme.ttl));
  const srv = (some: readonly NamedPort[]) => () => srvSet(some.map(({ port }) => ({ port, target: base })));
  const data = (sets: Parameters<typeof recordSets>[0]): NameData => ({
    source,
    ttl: scheme.ttl,
    sets: recordSets(sets),
    glue,
    owner: names,
  });
  // The base is asked for most, in every type: it is put together once.
  let whole: NameData | undefined;
  const names: ServiceNames = {
    isCurrent: true,
    isOpen: scheme.namesAllEndpoints,
    base: () => (whole ??= data({ ...addressSets(() => clusterIps), [typeNumbers.SRV]: srv(ports) })),
    below(_, [first = '', protocol, ...more]) {
      if (more.length > 0) return undefined;
      if (protocol !== undefined) {
        const asked = portsNamed(ports, first, protocol);
        return asked.length === 0 ? undefined : data({ [typeNumbers.SRV]: srv(asked) });
      }
      if (isProtocolOf(ports, first)) return emptyName(source);
      const found = scheme.namesAllEndpoints ? endpoints(first) : [];
      if (found.length === 0) return undefined;
      return { source: `endpoint of ${source}`, ttl: scheme.ttl, sets: recordSets(addressSets(() => found)) };
    },
    *listed() {
      const data = names.base();
      if (data !== undefined) yield [base, data];
      yield* listedPorts(base, ports, names);
    },
    reverse: [clusterIps.map((address) => ({ address, target: base, hasHostname: true }))],
  };
  return names;
}

/** Whether a label is the protocol of a named port: then names are below it, and it exists. */
export function isProtocolOf(ports: readonly NamedPort[], label: string): boolean {
  return ports.some((port) => port.name !== '' && protocolLabel(port) === label);
}

/** The names of named ports, each once. */
export function* listedPorts(
  base: Name,
  ports: readonly NamedPort[],
  { below }: Pick<ServiceNames, 'below'>,
): Generator<ListedName> {
  // With its underscore a name of 63 characters is no label.
  const named = ports.filter(({ name }) => name !== '' && name.length < 63);
  const pairs = named.map((port) => `_${port.name} ${protocolLabel(port)}`);
  for (const pair of new Set(pairs)) {
    const [port = '', protocol = ''] = pair.split(' ');
    const name = childName(childName(base, protocol), port);
    const data = below(name, [port, protocol]);
    if (data !== undefined) yield [name, data];
  }
}

/** Ports under the labels `_http` and `_tcp`. Unnamed ports have no name. */
export function portsNamed<P extends NamedPort>(ports: readonly P[], name: string, protocol: string): P[] {
  return ports.filter((port) => port.name !== '' && `_${port.name}` === name && protocolLabel(port) === protocol);
}

function protocolLabel(port: NamedPort): string {
  return `_${port.protocol.toLowerCase()}`;
}

/** A and AAAA sets of canonical addresses, without duplicates. */
export function addressSets(addresses: () => readonly string[]): Record<number, () => Uint8Array[]> {
  const ofLength = (length: number) => (): Uint8Array[] =>
    [...new Set(addresses())].flatMap((address) => {
      const bytes = parseIp(address);
      return bytes?.length === length ? [bytes] : [];
    });
  return { [typeNumbers.A]: ofLength(4), [typeNumbers.AAAA]: ofLength(16) };
}

/** SRV records with even shares of 100, as CoreDNS gives them; the specification leaves priority and weight free. */
export function srvSet(records: readonly { readonly port: number; readonly target: Name }[]): Uint8Array[] {
  const weight = Math.max(1, Math.floor(100 / Math.max(1, records.length)));
  return records.map(({ port, target }) => srvRdata(0, weight, port, target));
}

/** The address record of a name; none for a malformed address. */
export function addressRecords(name: Name, address: string, ttl: number): ResourceRecord[] {
  const rdata = parseIp(address);
  if (rdata === undefined) return [];
  return [{ name, type: rdata.length === 4 ? typeNumbers.A : typeNumbers.AAAA, class: classIn, ttl, rdata }];
}
