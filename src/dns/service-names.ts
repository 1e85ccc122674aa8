import type { Service } from '../api/core/service.ts';
import { canonicalIp, parseIp } from '../lib/ip.ts';
import { aliasName, emptyName, recordSets } from './name-data.ts';
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

/** An address that answers under a name: what its reverse name leads to. */
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
  /** `_<port>._<proto>` before it, both with their underscore. */
  port(name: string, protocol: string): NameData | undefined;
  /** In groups that stay the same objects as long as nothing in them changes. */
  readonly reverse: readonly (readonly ReverseEntry[])[];
}

/** A port as SRV records have it. */
export interface NamedPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

/** Name of a Service, lower case. */
export function serviceName(namespace: string, name: string, zone: Name): Name {
  return childName(childName(`\x03svc${zone}`, namespace), name);
}

/** The name one label below another. The label is not empty and has at most 63 characters. */
export function childName(parent: Name, label: string): Name {
  return `${String.fromCharCode(label.length)}${label.toLowerCase()}${parent}`;
}

/** Whether the names of a Service depend on its slices: only headless ones do. */
export function isHeadless(service: Service | undefined): boolean {
  return service !== undefined && service.spec?.type !== 'ExternalName' && clusterIpsOf(service).length === 0;
}

/** Names of a Service that is not headless; rules R2-R5 and R10 of the specification (kubernetes/dns, schema 1.1.0). */
export function namesOfService(service: Service, source: string, base: Name, scheme: NamingScheme): ServiceNames {
  if (service.spec?.type === 'ExternalName') return namesOfAlias(service, source, scheme);
  return namesOfClusterIps(service, source, base, scheme);
}

function clusterIpsOf(service: Service): string[] {
  const texts = service.spec?.clusterIPs ?? [service.spec?.clusterIP ?? ''];
  return texts.map(canonicalIp).filter((address) => address !== undefined);
}

/** R10: an alias and nothing below it. A malformed external name leaves a name without records. */
function namesOfAlias(service: Service, source: string, { ttl }: NamingScheme): ServiceNames {
  const target = parseName((service.spec?.externalName ?? '').toLowerCase());
  return {
    isCurrent: true,
    base: () => (target === undefined ? emptyName(source) : aliasName(source, ttl, target)),
    below: () => undefined,
    port: () => undefined,
    reverse: [],
  };
}

/** R2-R5. */
function namesOfClusterIps(service: Service, source: string, base: Name, scheme: NamingScheme): ServiceNames {
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
    base: () => (whole ??= data({ ...addressSets(() => clusterIps), [typeNumbers.SRV]: srv(ports) })),
    below: (label) => (isProtocolOf(ports, label) ? emptyName(source) : undefined),
    port(name, protocol) {
      const asked = portsNamed(ports, name, protocol);
      return asked.length === 0 ? undefined : data({ [typeNumbers.SRV]: srv(asked) });
    },
    reverse: [clusterIps.map((address) => ({ address, target: base, hasHostname: true }))],
  };
  return names;
}

/** Whether a label is the protocol of a named port: then names are below it, and it exists. */
export function isProtocolOf(ports: readonly NamedPort[], label: string): boolean {
  return ports.some((port) => port.name !== '' && protocolLabel(port) === label);
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
