import { pickEndpoints } from './endpoints.ts';
import type { PortEndpoints } from './endpoints.ts';
import type { Backend } from './frontend.ts';
import { preferNear } from './topology.ts';
import type { NodePlace } from './topology.ts';

/** The endpoints of one port, by the traffic policies that may ask for them. */
export interface Selection {
  /** All that may get new connections by themselves: ready, and of a weight above 0. */
  readonly open: readonly Backend[];
  /** For policy Cluster: ready and near; without any ready one, those that serve while terminating. */
  readonly cluster: readonly Backend[];
  /** For policy Local: ready on this node; without any ready one there, local ones that serve while terminating. */
  readonly local: readonly Backend[];
  /** Some endpoint could get traffic, if not by every policy: tells DROP (true) from REJECT (false). */
  readonly hasAny: boolean;
}

/**
 * Sorts the endpoints of a port into the sets of KEP-1669 and KEP-2086. Topology never narrows the local set.
 *
 * Weight 0 never gets a new connection: such an endpoint counts as absent. Beside others that do get connections it stays
 * in the set, so that planes know it and leave the connections it has alone.
 */
export function selectEndpoints(endpoints: PortEndpoints, place: NodePlace): Selection {
  const ready = pickEndpoints(endpoints, (_, standing) => standing.ready);
  const open = pickEndpoints(ready, isOpen);
  const draining = pickEndpoints(endpoints, (backend, standing) => standing.draining && isOpen(backend));
  const isLocalOpen = open.backends.some(isHere);
  return {
    open: open.backends,
    cluster: open.backends.length > 0 ? withParked(preferNear(open, place), open, ready) : draining.backends,
    local: pickEndpoints(isLocalOpen ? ready : draining, isHere).backends,
    hasAny: open.backends.length + draining.backends.length > 0,
  };
}

function isOpen({ weight }: Backend): boolean {
  return weight > 0;
}

function isHere({ local }: Backend): boolean {
  return local;
}

/** The chosen ones and the ready ones of weight 0, in the order of all. */
function withParked(chosen: PortEndpoints, open: PortEndpoints, ready: PortEndpoints): readonly Backend[] {
  if (open === ready) return chosen.backends;
  const kept = new Set(chosen.backends);
  return ready.backends.filter((backend) => backend.weight === 0 || kept.has(backend));
}
