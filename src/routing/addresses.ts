import type { Service } from '../api/core/service.ts';
import { canonicalIp } from '../lib/ip.ts';
import type { FrontendKind } from './frontend.ts';
import { isLeftToOthers } from './labels.ts';
import type { Note } from './notice.ts';

type AddressKind = Exclude<FrontendKind, 'NodePort'>;

/** An address that a Service answers on, with every one of its ports. */
export interface ServiceAddress {
  readonly kind: AddressKind;
  readonly family: 'IPv4' | 'IPv6';
  readonly address: string;
}

/**
 * The addresses of a Service, in order of precedence where one address has two roles; none for headless and
 * ExternalName Services and those left to another proxy. Families without a cluster IP are left out, as their endpoints
 * are not kept. `externalIPs` count only when they are allowed: anyone who may write a Service could take over other
 * people's addresses with them (CVE-2020-8554, KEP-5707).
 */
export function addressesOf(service: Service, allowExternalIps: boolean, note: Note): ServiceAddress[] {
  if (isLeftToOthers(service) || service.spec?.type === 'ExternalName') return [];
  const { spec } = service;
  const externalIPs = spec?.externalIPs ?? [];
  const own = (spec?.clusterIPs ?? [spec?.clusterIP ?? '']).filter((text) => text !== '' && text !== 'None');
  const clusterIps = read('ClusterIP', own, note);
  const families = new Set(clusterIps.map((address) => address.family));
  if (families.size > 0 && externalIPs.length > 0 && !allowExternalIps) {
    const list = [...externalIPs].sort().join(', ');
    note('ExternalIPsIgnored', `spec.externalIPs (${list}) get no traffic: this proxy does not allow external IPs`);
  }
  const others = [
    ...read('LoadBalancer', loadBalancerIps(service), note),
    ...(allowExternalIps ? read('ExternalIP', externalIPs, note) : []),
  ];
  return [...clusterIps, ...others.filter((address) => families.has(address.family))];
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
