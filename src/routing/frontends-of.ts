import type { Service, ServicePort } from '../api/core/service.ts';
import { addressesOf } from './addresses.ts';
import type { ServiceAddress } from './addresses.ts';
import { affinityOf } from './affinity.ts';
import { endpointsOfPort } from './endpoints.ts';
import { frontendKey } from './frontend.ts';
import type { Frontend, FrontendKey, FrontendKind } from './frontend.ts';
import { objectKey } from './labels.ts';
import { policyOf, targetsOf } from './policy.ts';
import type { PortTargets } from './policy.ts';
import { selectEndpoints } from './selection.ts';
import { readProtocol } from './slice.ts';
import type { ReadSlice } from './slice.ts';
import { sourceRangesOf } from './source-ranges.ts';
import type { NodePlace } from './topology.ts';

/**
 * Every frontend of one Service, by key, from scratch: its addresses times its ports, and a node port per family. Where
 * one key comes up twice in a Service, the first in the order of `addressesOf` stays.
 */
export function frontendsOf(
  service: Service,
  slices: readonly ReadSlice[],
  place: NodePlace,
): Map<FrontendKey, Frontend> {
  const frontends = new Map<FrontendKey, Frontend>();
  const addresses = addressesOf(service);
  for (const family of new Set(addresses.map((address) => address.family))) {
    const ofFamily = addresses.filter((address) => address.family === family);
    for (const port of service.spec?.ports ?? []) {
      for (const frontend of frontendsOfPort(service, port, ofFamily, family, slices, place)) {
        if (!frontends.has(frontend.key)) frontends.set(frontend.key, frontend);
      }
    }
  }
  return frontends;
}

function* frontendsOfPort(
  service: Service,
  port: ServicePort,
  addresses: readonly ServiceAddress[],
  family: 'IPv4' | 'IPv6',
  slices: readonly ReadSlice[],
  place: NodePlace,
): Generator<Frontend> {
  const endpoints = endpointsOfPort(slices, family, port.name ?? '', readProtocol(port.protocol));
  const targets = targetsOf(selectEndpoints(endpoints, place), place.nodeName);
  for (const { kind, address } of addresses) {
    yield frontendOf(service, port, kind, { family, address, port: port.port ?? 0 }, targets);
  }
  if (hasNodePorts(service) && port.nodePort) {
    yield frontendOf(service, port, 'NodePort', { family, address: undefined, port: port.nodePort }, targets);
  }
}

function hasNodePorts(service: Service): boolean {
  return service.spec?.type === 'NodePort' || service.spec?.type === 'LoadBalancer';
}

function frontendOf(
  service: Service,
  servicePort: ServicePort,
  kind: FrontendKind,
  where: Pick<Frontend, 'family' | 'address' | 'port'>,
  targets: PortTargets,
): Frontend {
  const protocol = readProtocol(servicePort.protocol);
  return {
    key: frontendKey(where.family, where.address, where.port, protocol),
    kind,
    ...where,
    protocol,
    service: objectKey(service),
    portName: servicePort.name ?? '',
    affinity: affinityOf(service),
    lastPort: undefined,
    scheduler: undefined,
    resetAfterSeconds: undefined,
    sourceRanges: kind === 'LoadBalancer' ? sourceRangesOf(service, where.family) : undefined,
    ...policyOf(service, kind, targets),
  };
}
