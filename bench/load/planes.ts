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
  /** Whose sockets the plane serves; undefined where it does not look at sockets. */
  readonly cgroup: string | undefined;
}

export type OpenPlane = (network: NodeNetwork) => Promise<OpenedPlane>;
export type KernelPlane = Exclude<PlaneName, 'userspace'>;

/** Opens planes as the proxy does, each when it is its turn; IPVS for `npm run bench` inside User-Mode Linux. */
export const openers: Readonly<Record<KernelPlane, OpenPlane>> = {
  nftables: (network) => open('nftables', network),
  ipvs: (network) => open('ipvs', network),
  ebpf: openEbpf,
};

/** Planes of this machine's kernel. */
export function kernelPlanes(): readonly KernelPlane[] {
  return ebpfObstacle() === undefined ? ['nftables', 'ebpf'] : ['nftables'];
}

async function open(name: 'nftables' | 'ipvs', network: NodeNetwork): Promise<OpenedPlane> {
  const plane = await openPlane(name, { network, logger: silentLogger });
  return { name, plane, cgroup: undefined, [Symbol.asyncDispose]: () => plane.remove() };
}

/** In a cgroup of its own, in which this process is not: its own sockets are left alone. */
async function openEbpf(network: NodeNetwork): Promise<OpenedPlane> {
  const place = enterEbpfPlace();
  const { cgroup } = place.options;
  writeFileSync(join(dirname(cgroup), 'cgroup.procs'), `${process.pid}`);
  return {
    name: 'ebpf',
    plane: place.open(network),
    cgroup,
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}
