import type { PortEndpoint } from './endpoints.ts';

/** Where this proxy runs. */
export interface NodePlace {
  readonly nodeName: string;
  /** Label `topology.kubernetes.io/zone` of the node; undefined when it has none. */
  readonly zone: string | undefined;
}

/**
 * The ready endpoints that clients of this node should use. Node hints count first, then zone hints; hints count only
 * when every ready endpoint carries them and at least one points here, else all ready endpoints are used (KEP-3015,
 * KEP-2433).
 */
export function preferNear(ready: readonly PortEndpoint[], place: NodePlace): readonly PortEndpoint[] {
  return (
    hintedFor(ready, place.nodeName, (it) => it.endpoint.forNodes) ??
    hintedFor(ready, place.zone, (it) => it.endpoint.forZones) ??
    ready
  );
}

function hintedFor(
  ready: readonly PortEndpoint[],
  here: string | undefined,
  hintsOf: (endpoint: PortEndpoint) => readonly string[] | undefined,
): readonly PortEndpoint[] | undefined {
  if (!here || ready.some((endpoint) => hintsOf(endpoint) === undefined)) return undefined;
  const near = ready.filter((endpoint) => hintsOf(endpoint)?.includes(here));
  return near.length > 0 ? near : undefined;
}
