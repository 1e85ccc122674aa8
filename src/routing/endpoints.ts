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
  const found: Candidate[] = [];
  for (const slice of slices) {
    if (slice.family !== family) continue;
    for (const { name, protocol: sliceProtocol, port } of slice.ports) {
      if (name !== portName || sliceProtocol !== protocol) continue;
      for (const endpoint of slice.endpoints) found.push({ endpoint, port, slice: slice.name });
    }
  }
  // Each slice is in order already, so this merges runs.
  return found.sort(byAddressThenPort).filter((it, index) => index === 0 || !isSamePlace(it, found[index - 1]));
}

interface Candidate extends PortEndpoint {
  readonly slice: string;
}

/** Of one address and port the one to keep comes first. */
function byAddressThenPort(a: Candidate, b: Candidate): number {
  if (a.endpoint.address !== b.endpoint.address) return a.endpoint.address < b.endpoint.address ? -1 : 1;
  if (a.port !== b.port) return a.port - b.port;
  const difference = readiness(b.endpoint) - readiness(a.endpoint);
  return difference === 0 && a.slice !== b.slice ? (a.slice < b.slice ? -1 : 1) : difference;
}

function isSamePlace(a: PortEndpoint, b: PortEndpoint | undefined): boolean {
  return b !== undefined && a.endpoint.address === b.endpoint.address && a.port === b.port;
}

function readiness(endpoint: SliceEndpoint): number {
  return endpoint.ready ? 2 : endpoint.draining ? 1 : 0;
}
