import type { Service } from '../../api/core/service.ts';
import { canonicalIp } from '../../lib/ip.ts';
import { isHeadless } from '../service-names.ts';
import { parseKey } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import type { Gateway, Ingress, Route } from './kinds.ts';

/** Where a name from outside leads: addresses, or else another name. */
export interface Targets {
  /** Canonical. */
  readonly addresses: readonly string[];
  readonly alias: Name | undefined;
}

/** Addresses win over names: one name cannot have both (RFC 1034 3.6.2), and of names there can be one. */
function targetsOf(entries: readonly { readonly ip?: string; readonly hostname?: string }[]): Targets {
  const addresses = entries.map(({ ip }) => canonicalIp(ip ?? '')).filter((address) => address !== undefined);
  const names = entries.map(({ hostname }) => (hostname ? parseKey(hostname) : undefined));
  return { addresses, alias: addresses.length > 0 ? undefined : names.find((name) => name !== undefined) };
}

/** Hosts of an object, as they are written in it, and where they lead. */
export interface Hosts {
  readonly hosts: readonly string[];
  readonly targets: Targets;
}

export function hostsOfIngress({ spec, status }: Ingress): Hosts {
  const hosts = (spec?.rules ?? []).flatMap(({ host }) => (host ? [host] : []));
  return { hosts, targets: targetsOf(status?.loadBalancer?.ingress ?? []) };
}

export function hostsOfGateway({ spec, status }: Gateway): Hosts {
  const hosts = (spec?.listeners ?? []).flatMap(({ hostname }) => (hostname ? [hostname] : []));
  const addresses = (status?.addresses ?? []).map(({ type, value }) =>
    type === 'Hostname' ? { hostname: value } : { ip: value },
  );
  return { hosts, targets: targetsOf(addresses) };
}

/** A route leads where the Gateways lead that have not refused it. */
export function hostsOfRoute(route: Route, gatewayNamed: (key: string) => Gateway | undefined): Hosts {
  const all = gatewaysOf(route)
    .map(gatewayNamed)
    .flatMap((gateway) => (gateway === undefined ? [] : [hostsOfGateway(gateway).targets]));
  const addresses = all.flatMap((targets) => targets.addresses);
  const alias = addresses.length > 0 ? undefined : all.find((targets) => targets.alias !== undefined)?.alias;
  return { hosts: route.spec?.hostnames ?? [], targets: { addresses, alias } };
}

/** `namespace/name` of the Gateways that a route is part of. */
export function gatewaysOf({ metadata, spec, status }: Route): string[] {
  const keyOf = (ref: { readonly namespace?: string; readonly name?: string } | undefined): string =>
    `${ref?.namespace ?? metadata.namespace ?? ''}/${ref?.name ?? ''}`;
  const refused = new Set<string>();
  for (const { parentRef, conditions = [] } of status?.parents ?? []) {
    const isRefused = conditions.some(({ type, status: is }) => type === 'Accepted' && is === 'False');
    if (isRefused) refused.add(keyOf(parentRef));
  }
  return (spec?.parentRefs ?? [])
    .filter(({ kind = 'Gateway' }) => kind === 'Gateway')
    .map(keyOf)
    .filter((key) => !refused.has(key));
}

/**
 * The Service that a zone for those outside shows in place of a Service: with its outside addresses, or as an alias of its
 * load balancer's name; undefined when it has neither. Headless ones as they are, where that is wanted.
 */
export function outsideOf(service: Service | undefined, showsHeadless: boolean): Service | undefined {
  if (service === undefined || service.spec?.type === 'ExternalName') return undefined;
  const { spec, status, metadata } = service;
  const externalIps = (spec?.externalIPs ?? []).map((ip) => ({ ip }));
  const { addresses, alias } = targetsOf([...externalIps, ...(status?.loadBalancer?.ingress ?? [])]);
  const ports = spec?.ports;
  if (addresses.length > 0) return { metadata, spec: { type: 'ClusterIP', clusterIPs: addresses, ports } };
  if (alias !== undefined) {
    const externalName = status?.loadBalancer?.ingress?.find(({ hostname }) => hostname)?.hostname;
    return { metadata, spec: { type: 'ExternalName', externalName } };
  }
  return showsHeadless && isHeadless(service) ? service : undefined;
}
