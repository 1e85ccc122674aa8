import { silentLogger } from '../../src/observe/log.ts';
import type { Dataplane, NodeNetwork, PlaneName } from '../../src/proxy/dataplane.ts';
import { openPlane } from '../../src/proxy/open-plane.ts';

/** A plane to measure, in the calling thread's network namespace. Disposing of it takes everything away again. */
export interface OpenedPlane extends AsyncDisposable {
  readonly name: PlaneName;
  readonly plane: Dataplane;
}

/** Planes of this machine's kernel, as the proxy opens them, each when it is its turn. */
export const kernelPlanes: readonly ((network: NodeNetwork) => Promise<OpenedPlane>)[] = [openNftables];

async function openNftables(network: NodeNetwork): Promise<OpenedPlane> {
  const plane = await openPlane('nftables', { network, logger: silentLogger });
  return { name: 'nftables', plane, [Symbol.asyncDispose]: () => plane.remove() };
}
