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
    adopt: async (desired) => both(await plane.adopt(desired), await local.adopt(desired.filter(isServed))),
    apply: async (changes) => both(await plane.apply(changes), await local.apply(nodePortsOf(changes))),
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

/** A key that is no node port any more is removed. */
function nodePortsOf({ changed, removed, triggeredAtMs }: FrontendChanges): FrontendChanges {
  return { changed: changed.filter(isServed), removed, triggeredAtMs };
}

function both(kernel: Applied, local: Applied): Applied {
  const refused = local.refused
    .filter(({ key }) => !kernel.refused.some((each) => each.key === key))
    .map(({ key, reason }) => ({ key, reason: `on localhost: ${reason}` }));
  return { ...kernel, refused: [...kernel.refused, ...refused], operations: kernel.operations + local.operations };
}
