import { pickEndpoints } from './endpoints.ts';
import type { PortEndpoints } from './endpoints.ts';
import type { Standing } from './slice.ts';

/** Where this proxy runs. */
export interface NodePlace {
  readonly nodeName: string;
  /** Label `topology.kubernetes.io/zone` of the node; undefined when it has none. */
  readonly zone: string | undefined;
  /** Canonical addresses that the Node's status tells, sorted. */
  readonly addresses: readonly string[];
}

/**
 * The ready endpoints that clients of this node should use. Node hints count first, then zone hints; hints count only
 * when every ready endpoint carries them and at least one points here, else all ready endpoints are used (KEP-3015,
 * KEP-2433).
 */
export function preferNear(ready: PortEndpoints, place: NodePlace): PortEndpoints {
  return (
    hintedFor(ready, place.nodeName, (standing) => standing.forNodes) ??
    hintedFor(ready, place.zone, (standing) => standing.forZones) ??
    ready
  );
}

function hintedFor(
  ready: PortEndpoints,
  here: string | undefined,
  hintsOf: (standing: Standing) => readonly string[] | undefined,
): PortEndpoints | undefined {
  if (!here || ready.standings.some((standing) => hintsOf(standing) === undefined)) return undefined;
  const near = pickEndpoints(ready, (_, standing) => hintsOf(standing)?.includes(here) === true);
  return near.backends.length > 0 ? near : undefined;
}
