import type { Service } from '../api/core/service.ts';
import { mergeEndpoints } from './endpoints.ts';
import { objectKey } from './labels.ts';
import type { ReadSlice } from './slice.ts';

/** What the health check node port of a Service must tell load balancers: whether to send traffic to this node. */
export interface HealthCheck {
  /** `namespace/name`. */
  readonly service: string;
  /** `spec.healthCheckNodePort`: 1-65535. */
  readonly port: number;
  /** Endpoints on this node that get new connections; terminating ones do not count, so that balancers drain the node. */
  readonly localEndpoints: number;
}

/**
 * The health check of a Service with addresses of these families; undefined unless it is a LoadBalancer with
 * externalTrafficPolicy Local. A Pod of two families counts once.
 */
export function healthCheckOf(
  service: Service,
  families: Iterable<'IPv4' | 'IPv6'>,
  slices: readonly ReadSlice[],
): HealthCheck | undefined {
  const spec = service.spec;
  const port = spec?.healthCheckNodePort ?? 0;
  if (port === 0 || spec?.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local') return undefined;
  const counts = [...families].map((family) => countLocal(slices.filter((slice) => slice.family === family)));
  return counts.length === 0 ? undefined : { service: objectKey(service), port, localEndpoints: Math.max(...counts) };
}

function countLocal(slices: readonly ReadSlice[]): number {
  const sources = slices.flatMap((slice) => slice.ports.slice(0, 1).map((port) => ({ slice, port })));
  const { backends, standings } = mergeEndpoints(sources);
  const counted = backends.filter(({ local, weight }, at) => local && weight > 0 && standings[at]?.ready === true);
  return new Set(counted.map(({ address }) => address)).size;
}
