import type { PortEndpoint } from './endpoints.ts';
import { preferNear } from './topology.ts';
import type { NodePlace } from './topology.ts';

/** The endpoints of one port, by the traffic policies that may ask for them. */
export interface Selection {
  /** For policy Cluster: ready and near; without any ready one, those that serve while terminating. */
  readonly cluster: readonly PortEndpoint[];
  /** For policy Local: ready on this node; without any ready one there, local ones that serve while terminating. */
  readonly local: readonly PortEndpoint[];
  /** Some endpoint could get traffic, if not by every policy: tells DROP (true) from REJECT (false). */
  readonly hasAny: boolean;
}

/** Sorts the endpoints of a port into the sets of KEP-1669 and KEP-2086. Topology never narrows the local set. */
export function selectEndpoints(endpoints: readonly PortEndpoint[], place: NodePlace): Selection {
  const ready = endpoints.filter((it) => it.endpoint.ready);
  const draining = endpoints.filter((it) => !it.endpoint.ready && it.endpoint.draining);
  const isHere = (it: PortEndpoint): boolean => it.endpoint.nodeName === place.nodeName;
  const localReady = ready.filter(isHere);
  return {
    cluster: ready.length > 0 ? preferNear(ready, place) : draining,
    local: localReady.length > 0 ? localReady : draining.filter(isHere),
    hasAny: ready.length > 0 || draining.length > 0,
  };
}
