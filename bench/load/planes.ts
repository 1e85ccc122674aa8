import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { silentLogger } from '../../src/observe/log.ts';
import type { Dataplane, NodeNetwork, PlaneName } from '../../src/proxy/dataplane.ts';
import { ebpfObstacle } from '../../src/proxy/ebpf/obstacle.ts';
import { enterEbpfPlace } from '../../src/proxy/ebpf/testing.ts';
import { openPlane } from '../../src/proxy/open-plane.ts';

/** A plane to measure, in the calling thread's network namespace. Disposing of it takes everything away again. */
export interface OpenedPlane extends AsyncDisposable {
  readonly name: PlaneName;
  readonly plane: Dataplane;
  /** Runs work whose sockets the plane serves; what is made outside is left alone by socket programs. */
  readonly served: <T>(work: () => T) => T;
}

export type OpenPlane = (network: NodeNetwork) => Promise<OpenedPlane>;

/** Planes of this machine's kernel, as the proxy opens them, each when it is its turn. */
export function kernelPlanes(): readonly OpenPlane[] {
  return ebpfObstacle() === undefined ? [openNftables, openEbpf] : [openNftables];
}

async function openNftables(network: NodeNetwork): Promise<OpenedPlane> {
  const plane = await openPlane('nftables', { network, logger: silentLogger });
  return { name: 'nftables', plane, served: (work) => work(), [Symbol.asyncDispose]: () => plane.remove() };
}

/** For `npm run bench` inside User-Mode Linux. */
export async function openIpvs(network: NodeNetwork): Promise<OpenedPlane> {
  const plane = await openPlane('ipvs', { network, logger: silentLogger });
  return { name: 'ipvs', plane, served: (work) => work(), [Symbol.asyncDispose]: () => plane.remove() };
}

/** In a cgroup of its own, which this process is in only while it makes sockets to be served. */
async function openEbpf(network: NodeNetwork): Promise<OpenedPlane> {
  const place = enterEbpfPlace();
  const move = (cgroup: string): void => writeFileSync(join(cgroup, 'cgroup.procs'), `${process.pid}`);
  const home = dirname(place.options.cgroup);
  move(home);
  return {
    name: 'ebpf',
    plane: place.open(network),
    served(work) {
      move(place.options.cgroup);
      try {
        return work();
      } finally {
        move(home);
      }
    },
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}
