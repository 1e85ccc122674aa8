import type { Backend, Protocol } from './frontend.ts';
import { localTest, readiness } from './slice.ts';
import type { ReadSlice, SlicePort, Standing } from './slice.ts';

/** Endpoints of one port: each backend with the standing at the same index. */
export interface PortEndpoints {
  readonly backends: readonly Backend[];
  readonly standings: readonly Standing[];
}

/** Which port of a Service is asked for. */
export interface WantedPort {
  readonly family: 'IPv4' | 'IPv6';
  readonly name: string;
  readonly protocol: Protocol;
  /** The port that backends get instead of the one of their slice: for ranges. */
  readonly portNumber?: number;
}

const none: PortEndpoints = { backends: [], standings: [] };

/**
 * The endpoints behind one port of a Service in one family, sorted by address then port. An endpoint that is in several
 * slices (they are allowed to overlap while the controller moves it) counts once, as ready as any of them says; equally
 * ready ones are taken from the slice whose name sorts first, so that the order of arrival never shows. Where it is, another
 * one of its address may tell.
 */
export function endpointsOfPort(slices: Iterable<ReadSlice>, wanted: WantedPort): PortEndpoints {
  const found: Source[] = [];
  for (const slice of slices) {
    if (slice.family !== wanted.family) continue;
    for (const port of slice.ports) {
      if (port.name === wanted.name && port.protocol === wanted.protocol) found.push({ slice, port });
    }
  }
  const [first] = found;
  if (first === undefined) return none;
  const isPlain = found.length === 1 && wanted.portNumber === undefined;
  if (isPlain) return { backends: first.port.backends, standings: first.slice.standings };
  return mergeEndpoints(found, wanted.portNumber);
}

/** The endpoints that `keep` wants, in their order; the very same when it wants all. */
export function pickEndpoints(
  from: PortEndpoints,
  keep: (backend: Backend, standing: Standing) => boolean,
): PortEndpoints {
  const { backends, standings } = from;
  const wants = backends.map((backend, index) => isKept(keep, backend, standings[index]));
  if (!wants.includes(false)) return from;
  if (!wants.includes(true)) return none;
  const isWanted = (_: unknown, index: number): boolean => wants[index] === true;
  return { backends: backends.filter(isWanted), standings: standings.filter(isWanted) };
}

function isKept(
  keep: (backend: Backend, standing: Standing) => boolean,
  backend: Backend,
  standing: Standing | undefined,
): boolean {
  return standing !== undefined && keep(backend, standing);
}

/** Endpoints of a slice at one of its ports. */
export interface Source {
  readonly slice: ReadSlice;
  readonly port: SlicePort;
}

interface Candidate {
  readonly address: string;
  readonly backend: Backend;
  readonly standing: Standing;
  readonly slice: string;
}

/** The endpoints of several slices, each once: see `endpointsOfPort`. */
export function mergeEndpoints(sources: readonly Source[], portNumber?: number): PortEndpoints {
  const candidates: Candidate[] = [];
  for (const { slice, port } of sources) {
    for (const [index, each] of port.backends.entries()) {
      const standing = slice.standings[index];
      const backend = portNumber === undefined ? each : { ...each, port: portNumber };
      if (standing !== undefined) candidates.push({ address: backend.address, backend, standing, slice: slice.name });
    }
  }
  // Each slice is in order already, so this merges runs.
  candidates.sort(byAddressThenPort);
  const kept = candidates.filter((it, index) => index === 0 || !isSamePlace(it, candidates[index - 1]));
  const isHere = localTest(candidates, ({ backend }) => backend.local);
  return {
    backends: kept.map((it) => (isHere(it) === it.backend.local ? it.backend : { ...it.backend, local: true })),
    standings: kept.map((it) => it.standing),
  };
}

/** Of one address and port the one to keep comes first. */
function byAddressThenPort(a: Candidate, b: Candidate): number {
  if (a.backend.address !== b.backend.address) return a.backend.address < b.backend.address ? -1 : 1;
  if (a.backend.port !== b.backend.port) return a.backend.port - b.backend.port;
  const difference = readiness(b.standing) - readiness(a.standing);
  return difference === 0 && a.slice !== b.slice ? (a.slice < b.slice ? -1 : 1) : difference;
}

function isSamePlace(a: Candidate, b: Candidate | undefined): boolean {
  return a.backend.address === b?.backend.address && a.backend.port === b.backend.port;
}
