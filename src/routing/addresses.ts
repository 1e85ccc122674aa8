import type { Service } from '../api/core/service.ts';
import { canonicalIp } from '../lib/ip.ts';
import type { Family } from '../lib/ip.ts';
import type { FrontendKind } from './frontend.ts';
import { isLeftToOthers } from './labels.ts';
import type { Note } from './notice.ts';
import { specialKindOf } from './special-address.ts';
import type { NodePlace } from './topology.ts';

type AddressKind = Exclude<FrontendKind, 'NodePort'>;

/** An address that a Service answers on, with every one of its ports. */
export interface ServiceAddress {
  readonly kind: AddressKind;
  readonly family: Family;
  readonly address: string;
}

/** Where a Service answers. */
export interface ServicePlaces {
  /** Those of its cluster IPs, also of one that is left out: it has node ports in them. */
  readonly families: ReadonlySet<Family>;
  readonly addresses: readonly ServiceAddress[];
}

/** What decides which addresses a Service may have. */
export interface AddressRules {
  readonly place: NodePlace;
  readonly allowExternalIps: boolean;
  readonly allowLoopback: boolean;
}

const nowhere: ServicePlaces = { families: new Set(), addresses: [] };

/**
 * The addresses of a Service, in order of precedence where one address has two roles; none for headless and
 * ExternalName Services and those left to another proxy. Families without a cluster IP are left out, as their endpoints
 * are not kept. `externalIPs` count only when they are allowed: anyone who may write a Service could take over other
 * people's addresses with them (CVE-2020-8554, KEP-5707). Addresses that no Service can have are noted and left out.
 */
export function placesOf(service: Service, rules: AddressRules, note: Note): ServicePlaces {
  if (isLeftToOthers(service) || service.spec?.type === 'ExternalName') return nowhere;
  const { spec } = service;
  const externalIPs = spec?.externalIPs ?? [];
  const own = (spec?.clusterIPs ?? [spec?.clusterIP ?? '']).filter((text) => text !== '' && text !== 'None');
  const clusterIps = read('ClusterIP', own, note);
  const families = new Set(clusterIps.map((address) => address.family));
  if (families.size > 0 && externalIPs.length > 0 && !rules.allowExternalIps) {
    const list = [...externalIPs].sort().join(', ');
    note('ExternalIPsIgnored', `spec.externalIPs (${list}) get no traffic: this proxy does not allow external IPs`);
  }
  const others = [
    ...read('LoadBalancer', loadBalancerIps(service), note),
    ...(rules.allowExternalIps ? read('ExternalIP', externalIPs, note) : []),
  ];
  const asked = [...clusterIps, ...others.filter((address) => families.has(address.family))];
  return { families, addresses: asked.filter((address) => isUsable(address, rules, note)) };
}

/** Ingress addresses whose packets arrive with that destination; ipMode `Proxy` ones must not be captured (KEP-1860). */
function loadBalancerIps(service: Service): string[] {
  if (service.spec?.type !== 'LoadBalancer') return [];
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  return ingress.filter((it) => it.ip && it.ipMode !== 'Proxy').map((it) => it.ip ?? '');
}

/** Canonical addresses; malformed entries are noted and left out. */
function read(kind: AddressKind, texts: readonly string[], note: Note): ServiceAddress[] {
  const addresses: ServiceAddress[] = [];
  for (const text of texts) {
    const address = canonicalIp(text);
    if (address === undefined) note('InvalidAddress', `"${text}" is no IP address: the Service does not answer on it`);
    else addresses.push({ kind, family: address.includes(':') ? 'IPv6' : 'IPv4', address });
  }
  return addresses;
}

const names: Readonly<Record<AddressKind, string>> = {
  ClusterIP: 'cluster IP',
  LoadBalancer: 'load-balancer address',
  ExternalIP: 'external IP',
};

/** An address of the node may be an external or a load-balancer address: there the Service gets some of its ports. */
function isUsable({ kind, address }: ServiceAddress, { place, allowLoopback }: AddressRules, note: Note): boolean {
  const isNodes = kind === 'ClusterIP' && place.addresses.includes(address);
  const wrong = specialKindOf(address, allowLoopback) ?? (isNodes ? `an address of node ${place.nodeName}` : undefined);
  if (wrong !== undefined) note('InvalidAddress', `${names[kind]} ${address} is ${wrong}: left out`);
  return wrong === undefined;
}
