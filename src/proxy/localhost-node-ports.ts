import type { Frontend, FrontendChanges } from '../routing/frontend.ts';
import type { Applied, Dataplane, NodeNetwork } from './dataplane.ts';
import { createUserspacePlane } from './userspace/plane.ts';

/**
 * Adds node ports on 127.0.0.1 and ::1 to a plane of the kernel that has none, when the network asks for them (KEP-6032):
 * packets to loopback addresses never pass its rules, so sockets of this process take those connections. TCP and UDP. They
 * end with the process; the plane itself is as it was. A frontend that is refused here alone is in force in the kernel, so
 * whatever goes by what the kernel refused has to be inside.
 */
export function withLocalhostNodePorts(plane: Dataplane, network: NodeNetwork): Dataplane {
  if (network.nodePortLocalhost !== true) return plane;
  const local = createUserspacePlane({ ...network, nodePortAddresses: ['127.0.0.1', '::1'] });
  return {
    name: plane.name,
    async adopt(desired) {
      const kernel = await plane.adopt(desired);
      const { changed } = nodePortsOf({ changed: desired, removed: [], triggeredAtMs: undefined }, kernel);
      return both(kernel, await local.adopt(changed));
    },
    async apply(changes) {
      const kernel = await plane.apply(changes);
      return both(kernel, await local.apply(nodePortsOf(changes, kernel)));
    },
    dump: () => plane.dump(),
    counters: () => plane.counters(),
    async close() {
      await local.close();
      await plane.close();
    },
    async remove() {
      await local.remove();
      await plane.remove();
    },
    async retire(signal) {
      await Promise.all([local.retire(signal), plane.retire(signal)]);
    },
  };
}

/** The userspace plane has no SCTP sockets; on its other addresses the node port works. */
function isServed({ kind, protocol }: Frontend): boolean {
  return kind === 'NodePort' && protocol !== 'SCTP';
}

/** What the kernel's plane refuses is in force nowhere. */
function nodePortsOf({ changed, removed, triggeredAtMs }: FrontendChanges, kernel: Applied): FrontendChanges {
  const refused = new Set(kernel.refused.map(({ key }) => key));
  return {
    changed: changed.filter((frontend) => isServed(frontend) && !refused.has(frontend.key)),
    removed: [...removed, ...refused],
    triggeredAtMs,
  };
}

function both(kernel: Applied, local: Applied): Applied {
  const refused = local.refused
    .filter(({ key }) => !kernel.refused.some((each) => each.key === key))
    .map((each) => ({ ...each, only: 'localhost' as const }));
  return { ...kernel, refused: [...kernel.refused, ...refused], operations: kernel.operations + local.operations };
}
