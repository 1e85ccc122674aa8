import type { Service } from '../api/core/service.ts';
import { canonicalIp } from '../lib/ip.ts';
import type { FrontendKind } from './frontend.ts';
import { isLeftToOthers } from './labels.ts';

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
 * are not kept.
 */
export function addressesOf(service: Service): ServiceAddress[] {
  if (isLeftToOthers(service) || service.spec?.type === 'ExternalName') return [];
  const clusterIps = read('ClusterIP', service.spec?.clusterIPs ?? [service.spec?.clusterIP ?? '']);
  const families = new Set(clusterIps.map((address) => address.family));
  const others = [
    ...read('LoadBalancer', loadBalancerIps(service)),
    ...read('ExternalIP', service.spec?.externalIPs ?? []),
  ];
  return [...clusterIps, ...others.filter((address) => families.has(address.family))];
}

/** Ingress addresses whose packets arrive with that destination; ipMode `Proxy` ones must not be captured (KEP-1860). */
function loadBalancerIps(service: Service): string[] {
  if (service.spec?.type !== 'LoadBalancer') return [];
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  return ingress.filter((it) => it.ip && it.ipMode !== 'Proxy').map((it) => it.ip ?? '');
}

/** Canonical addresses; `None`, empty and malformed entries are left out. */
function read(kind: AddressKind, texts: readonly string[]): ServiceAddress[] {
  const addresses: ServiceAddress[] = [];
  for (const text of texts) {
    const address = canonicalIp(text);
    if (address !== undefined) addresses.push({ kind, family: address.includes(':') ? 'IPv6' : 'IPv4', address });
  }
  return addresses;
}
