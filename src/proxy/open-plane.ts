import { release } from 'node:os';
import { type Logger, silentLogger } from '../observe/log.ts';
import { type Dataplane, type NodeNetwork, type PlaneName, PlaneUnavailableError } from './dataplane.ts';
import { withLocalhostNodePorts } from './localhost-node-ports.ts';
import { createUserspacePlane } from './userspace/plane.ts';

/** Which plane carries out the frontends here, and why: for the ready screen and `fairlead doctor`. */
export interface PlaneChoice {
  readonly plane: PlaneName;
  readonly reason: string;
}

/** What concerns one plane alone. */
export interface PlaneSettings {
  readonly ipvs?: IpvsSettings;
  /** eBPF: the cgroup whose processes are served; undefined for the root of the hierarchy. */
  readonly cgroup?: string;
  /** eBPF: where maps and programs are pinned; undefined for a folder of the network namespace's own in `/sys/fs/bpf`. */
  readonly pinFolder?: string;
}

export interface IpvsSettings {
  /** Answer ARP for the addresses of Services nowhere (`arp_ignore`, `arp_announce`), as MetalLB and kube-vip need. */
  readonly strictArp?: boolean;
  /** Idle time-outs of connections, in seconds; undefined or 0 leaves the kernel's. */
  readonly tcpTimeoutSeconds?: number;
  readonly tcpFinTimeoutSeconds?: number;
  readonly udpTimeoutSeconds?: number;
}

export interface PlaneOptions extends PlaneSettings {
  readonly network: NodeNetwork;
  readonly logger: Logger;
}

/** What a plane's folder offers. The Linux parts are loaded when they are asked for, so that others never need them. */
interface PlaneModule {
  /** Why the plane cannot run here; undefined when it can. Changes nothing. */
  readonly obstacle: (options: PlaneOptions) => Promise<string | undefined>;
  readonly open: (options: PlaneOptions) => Promise<Dataplane>;
  /** Another plane whose state is a part of this one's. */
  readonly uses?: PlaneName;
  /** Whether the kernel has what an earlier process made. */
  readonly isPresent: () => Promise<boolean>;
  /** Lets go of what an earlier process made, now that another plane is in force: as `Dataplane.retire`. */
  readonly retire: (options: PlaneOptions, signal: AbortSignal) => Promise<void>;
}

/** For work that needs no knowledge of the node's network. */
const nowhereNetwork: PlaneOptions = {
  network: { podCidrs: [], clusterCidrs: [], serviceCidrs: [], nodePortAddresses: [] },
  logger: silentLogger,
};

const modules: Readonly<Record<PlaneName, PlaneModule>> = {
  nftables: {
    obstacle: async () => (await import('./nftables/obstacle.ts')).nftablesObstacle(),
    open: async (options) => {
      const { createNftablesPlane } = await import('./nftables/plane.ts');
      return openKernelPlane(options, createNftablesPlane);
    },
    isPresent: async () => process.platform === 'linux' && (await import('./clean-up.ts')).hasNftablesTables(),
    retire: async (options, signal) => {
      const { createNftablesPlane } = await import('./nftables/plane.ts');
      await createNftablesPlane(options).retire(signal);
    },
  },
  ipvs: {
    obstacle: async () => (await import('./ipvs/obstacle.ts')).ipvsObstacle(),
    open: async (options) => {
      const { createIpvsPlane } = await import('./ipvs/plane.ts');
      return openKernelPlane(options, createIpvsPlane);
    },
    isPresent: async () => (await import('./ipvs/presence.ts')).hasIpvsPlane(),
    retire: async (options, signal) => {
      const { createIpvsPlane } = await import('./ipvs/plane.ts');
      await createIpvsPlane(options).retire(signal);
    },
  },
  ebpf: {
    uses: 'nftables',
    obstacle: async (options) => (await import('./ebpf/obstacle.ts')).ebpfObstacle(options),
    open: async (options) => (await import('./ebpf/plane.ts')).openEbpfPlane(options),
    isPresent: async () => process.platform === 'linux' && (await import('./ebpf/place.ts')).hasSocketPrograms(),
    retire: async (options, signal) => {
      const { retireSocketPrograms, socketPlace } = await import('./ebpf/place.ts');
      await retireSocketPrograms(socketPlace(options), signal);
    },
  },
  userspace: {
    obstacle: async () => undefined,
    open: async ({ network }) => {
      const plane = createUserspacePlane(network);
      if (process.platform !== 'linux') return plane;
      return (await import('./userspace/service-ranges.ts')).withServiceRanges(plane, network);
    },
    isPresent: async () =>
      process.platform === 'linux' && (await import('./userspace/service-ranges.ts')).hasServiceRanges(),
    retire: async (_options, signal) => (await import('./userspace/service-ranges.ts')).retireServiceRanges(signal),
  },
};

/**
 * A plane of the kernel, whose changes end the flows that they make stale, with node ports on localhost in front of both;
 * `create` is given all that it may use.
 */
async function openKernelPlane(
  options: PlaneOptions,
  create: (options: PlaneOptions & { readonly onRestored: () => void }) => Dataplane,
): Promise<Dataplane> {
  const { endingStaleFlows } = await import('./stale-flows/plane.ts');
  const plane = endingStaleFlows((onRestored) => create({ ...options, onRestored }), options);
  return withLocalhostNodePorts(plane, options.network);
}

/** Takes away what planes left whose process is gone; says what it was. */
export async function removePlanes(): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const name of await planesInKernel()) {
    await modules[name].retire(nowhereNetwork, AbortSignal.abort());
    removed.push(`the ${name} plane of Fairlead`);
  }
  return removed;
}

/** What `auto` tries, best first (docs/decisions/0009-auto-plane.md). */
const preference = ['nftables', 'ipvs', 'userspace'] as const satisfies readonly PlaneName[];

/**
 * Picks a plane that runs here. `auto` takes the first of nftables, IPVS and userspace that does, and says what keeps the
 * better ones from it. Asking for one that does not run rejects with the reason. Nothing is changed.
 */
export async function choosePlane(wanted: PlaneName | 'auto', options: PlaneOptions): Promise<PlaneChoice> {
  if (wanted !== 'auto') {
    const obstacle = await modules[wanted].obstacle(options);
    if (obstacle !== undefined) throw new PlaneUnavailableError(`the ${wanted} plane cannot run here: ${obstacle}`);
    return { plane: wanted, reason: 'asked for' };
  }
  const obstacles: string[] = [];
  for (const plane of preference) {
    const obstacle = await modules[plane].obstacle(options);
    if (obstacle === undefined) return { plane, reason: reasonFor(plane, obstacles) };
    obstacles.push(`${plane}: ${obstacle}`);
  }
  throw new PlaneUnavailableError(`no plane can run here: ${obstacles.join('; ')}`);
}

function reasonFor(plane: PlaneName, obstacles: readonly string[]): string {
  if (obstacles.length > 0) return obstacles.join('; ');
  return `Linux ${release()} with ${plane}, and the privileges to use it`;
}

export function openPlane(plane: PlaneName, options: PlaneOptions): Promise<Dataplane> {
  return modules[plane].open(options);
}

/** The planes that have state in the kernel, whoever made it. What serves another plane as well comes after that plane. */
export async function planesInKernel(): Promise<readonly PlaneName[]> {
  const found: PlaneName[] = [];
  for (const name of ['ebpf', 'ipvs', 'nftables', 'userspace'] as const)
    if (await modules[name].isPresent()) found.push(name);
  return found;
}

/**
 * Takes out of service what other planes left in the kernel, now that `kept` carries the traffic: connections that they
 * made go on until they end or the signal aborts. Returns the planes that were there.
 */
export async function retireOthers(
  kept: PlaneName,
  options: PlaneOptions,
  signal: AbortSignal,
): Promise<readonly PlaneName[]> {
  const others = (await planesInKernel()).filter((name) => name !== kept && modules[kept].uses !== name);
  // All at once: each may wait for its connections, and none of them for another's.
  await Promise.all(others.map((name) => modules[name].retire(options, signal)));
  return others;
}
