import type { Protocol } from './frontend.ts';
import type { ReadSlice, SliceEndpoint } from './slice.ts';

/** An endpoint with the port number that its own slice gives for one port of the Service. */
export interface PortEndpoint {
  readonly endpoint: SliceEndpoint;
  readonly port: number;
}

/**
 * The endpoints behind one port of a Service in one family, sorted by address then port. An endpoint that is in several
 * slices (they are allowed to overlap while the controller moves it) counts once, as ready as any of them says; equally
 * ready ones are taken from the slice whose name sorts first, so that the order of arrival never shows.
 */
export function endpointsOfPort(
  slices: Iterable<ReadSlice>,
  family: 'IPv4' | 'IPv6',
  portName: string,
  protocol: Protocol,
): PortEndpoint[] {
  const found = new Map<string, PortEndpoint & { readonly slice: string }>();
  for (const slice of slices) {
    if (slice.family !== family) continue;
    for (const { name, protocol: sliceProtocol, port } of slice.ports) {
      if (name !== portName || sliceProtocol !== protocol) continue;
      for (const endpoint of slice.endpoints) {
        const key = `${endpoint.address} ${port}`;
        const other = found.get(key);
        const isBetter = other === undefined || betterThan(endpoint, slice.name, other.endpoint, other.slice);
        if (isBetter) found.set(key, { endpoint, port, slice: slice.name });
      }
    }
  }
  return [...found.values()].sort(byAddressThenPort);
}

function betterThan(a: SliceEndpoint, aSlice: string, b: SliceEndpoint, bSlice: string): boolean {
  const difference = readiness(a) - readiness(b);
  return difference === 0 ? aSlice < bSlice : difference > 0;
}

function readiness(endpoint: SliceEndpoint): number {
  return endpoint.ready ? 2 : endpoint.draining ? 1 : 0;
}

function byAddressThenPort(a: PortEndpoint, b: PortEndpoint): number {
  if (a.endpoint.address === b.endpoint.address) return a.port - b.port;
  return a.endpoint.address < b.endpoint.address ? -1 : 1;
}
