import type { Service } from '../api/core/service.ts';
import { addressesOf } from './addresses.ts';
import { objectKey } from './labels.ts';
import type { ReadSlice } from './slice.ts';

/** What the health check node port of a Service must tell load balancers: whether to send traffic to this node. */
export interface HealthCheck {
  /** `namespace/name`. */
  readonly service: string;
  /** `spec.healthCheckNodePort`: 1-65535. */
  readonly port: number;
  /** Ready endpoints on this node; terminating ones do not count, so that balancers drain the node. */
  readonly localEndpoints: number;
}

/** The health check of a Service; undefined unless it is a LoadBalancer with externalTrafficPolicy Local. */
export function healthCheckOf(
  service: Service,
  slices: Iterable<ReadSlice>,
  nodeName: string,
): HealthCheck | undefined {
  const spec = service.spec;
  const port = spec?.healthCheckNodePort ?? 0;
  if (port === 0 || spec?.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local') return undefined;
  if (addressesOf(service).length === 0) return undefined;
  return { service: objectKey(service), port, localEndpoints: countLocalReady(slices, nodeName) };
}

function countLocalReady(slices: Iterable<ReadSlice>, nodeName: string): number {
  const addresses = new Set<string>();
  for (const slice of slices) {
    for (const endpoint of slice.endpoints) {
      if (endpoint.ready && endpoint.nodeName === nodeName) addresses.add(endpoint.address);
    }
  }
  return addresses.size;
}
