import { cidrContains } from '../../lib/cidr.ts';
import { closeMaps, type InstallationPlace, openPinnedMaps, removeInstallation } from '../../linux/bpf/installation.ts';
import type { BpfMap } from '../../linux/bpf/map.ts';
import { watchLinksAndAddresses } from '../../linux/route-watch.ts';
import { type Logger, silentLogger } from '../../observe/log.ts';
import type { Frontend, FrontendChanges, FrontendKey } from '../../routing/frontend.ts';
import type { Applied, Dataplane, FrontendCounters, NodeNetwork } from '../dataplane.ts';
import { type Change, changeInParts } from '../nftables/change-in-parts.ts';
import { createNftablesPlane } from '../nftables/plane.ts';
import { openKernelFlows } from '../stale-flows/kernel-flows.ts';
import { endingStaleFlows } from '../stale-flows/plane.ts';
import type { Element } from './balanced.ts';
import { cidrsOf, findCallers, findNodeAddresses } from './callers.ts';
import { frontendsInForce } from './in-force.ts';
import { retireSocketPrograms, socketPlace, type SocketPlaceOptions } from './place.ts';
import { readBalanced } from './read.ts';
import { joinFlows, openSocketFlows } from './socket-flows.ts';
import { readCounters, type SocketMaps, socketMaps, SocketTables } from './tables.ts';

/** A new Pod's link, addresses and routes come one after the other: what follows within this time is one change. */
const settleMs = 100;
/** Pods whose addresses came without a change of the node's links are found by then. */
const lookEveryMs = 30_000;

export interface EbpfOptions extends SocketPlaceOptions {
  readonly network: NodeNetwork;
  readonly logger?: Logger;
  /** Decides on all packets of calls that the socket programs leave alone. Gets every frontend. */
  readonly nftables: Dataplane;
}

/**
 * The eBPF plane with its own nftables plane; flows that a change makes stale end with it: tracked ones, and sockets whose
 * backend the programs chose.
 */
export function openEbpfPlane(options: Omit<EbpfOptions, 'nftables'>): Dataplane {
  const { network, logger = silentLogger } = options;
  const flows = joinFlows(openKernelFlows(), openSocketFlows(socketPlace(options)));
  const create = (onRestored: () => void): Dataplane =>
    createEbpfPlane({ ...options, nftables: createNftablesPlane({ network, logger, onRestored }) });
  return endingStaleFlows(create, { logger, flows });
}

/**
 * The eBPF plane of the thread's network namespace (Linux 5.14, cgroup v2): chooses a backend when a process of this node
 * or its Pods connects, before there is a packet; everything else goes through the nftables plane.
 *
 * `retire` lets go of the eBPF part alone: nftables goes on, because it may be the plane that comes next.
 */
export function createEbpfPlane(options: EbpfOptions): Dataplane {
  return new EbpfPlane(options);
}

class EbpfPlane implements Dataplane {
  readonly name = 'ebpf';
  readonly #network: NodeNetwork;
  readonly #logger: Logger;
  readonly #nftables: Dataplane;
  readonly #place: InstallationPlace;
  readonly #tables: SocketTables;
  #stopWatching: (() => void) | undefined;
  /** Set while a look is due. */
  #soon: NodeJS.Timeout | undefined;

  constructor(options: EbpfOptions) {
    this.#network = options.network;
    this.#logger = options.logger ?? silentLogger;
    this.#nftables = options.nftables;
    this.#place = socketPlace(options);
    this.#tables = new SocketTables(this.#place);
  }

  async adopt(desired: readonly Frontend[]): Promise<Applied> {
    const applied = await this.#nftables.adopt(desired);
    const refused = new Set(applied.refused.map(({ key }) => key));
    const forwarded = desired.filter(({ key }) => !refused.has(key));
    const operations = this.#carryOut(() => this.#tables.adopt(forwarded), forwarded, []) + this.#look();
    this.#stopWatching ??= this.#watch();
    return { ...applied, operations: applied.operations + operations };
  }

  /** What nftables refuses is in force nowhere. */
  async apply(changes: FrontendChanges): Promise<Applied> {
    const applied = await this.#nftables.apply(changes);
    const refused = applied.refused.map(({ key }) => key);
    const changed = changes.changed.filter(({ key }) => !refused.includes(key));
    const removed = [...changes.removed, ...refused];
    const operations = this.#carryOut(() => this.#tables.apply(changed, removed), changed, removed);
    return { ...applied, operations: applied.operations + operations };
  }

  /** What the maps have no room for goes through nftables alone. */
  #carryOut(whole: () => number, changed: readonly Frontend[], removed: readonly FrontendKey[]): number {
    try {
      return whole();
    } catch (error) {
      if (!this.#tables.isOpen) throw error;
      this.#logger.warn('the socket maps could not be changed as a whole; trying in parts', { error });
    }
    const change: Change = (some, gone) => ({ refused: [], operations: this.#tables.apply(some, gone) });
    const { refused, operations } = changeInParts(changed, removed, change);
    if (refused.length > 0) this.#logger.warn('frontends that nftables alone serves', { refused });
    return operations;
  }

  async dump(): Promise<readonly Frontend[]> {
    const forwarded = await this.#nftables.dump();
    const ranges = cidrsOf(this.#network.podCidrs);
    const isLocal = (address: string) => ranges.some((range) => cidrContains(range, address));
    const look = (maps: SocketMaps) => frontendsInForce(forwarded, readBalanced(maps), isLocal);
    return this.#lookAtPinned(look) ?? forwarded;
  }

  async counters(): Promise<ReadonlyMap<FrontendKey, FrontendCounters>> {
    const sums = new Map(await this.#nftables.counters());
    const look = (maps: SocketMaps) => readCounters(maps, readBalanced(maps));
    const counted = this.#tables.isOpen ? this.#tables.counters() : this.#lookAtPinned(look);
    for (const [key, connections] of counted ?? []) {
      sums.set(key, { connections: connections + (sums.get(key)?.connections ?? 0) });
    }
    return sums;
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#nftables.close();
  }

  async remove(): Promise<void> {
    this.#stop();
    removeInstallation(this.#place);
    await this.#nftables.remove();
  }

  async retire(signal: AbortSignal): Promise<void> {
    this.#stop();
    await retireSocketPrograms(this.#place, signal);
    await this.#nftables.close();
  }

  /** Reads what is pinned, whoever put it there; undefined when nothing is. */
  #lookAtPinned<T>(look: (maps: SocketMaps) => T): T | undefined {
    const maps = openPinnedMaps(this.#place);
    if (maps === undefined) return undefined;
    try {
      return look(socketMaps(maps));
    } finally {
      closeMaps(maps);
    }
  }

  #stop(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#tables.close();
  }

  /** Brings callers and node addresses up to date. Returns how many entries changed. */
  #look(): number {
    const { callers, node_addresses: addresses } = this.#tables.maps;
    return (
      this.#become(callers, findCallers(this.#network)) + this.#become(addresses, findNodeAddresses(this.#network))
    );
  }

  /** What a map has no room for goes through nftables. */
  #become(map: BpfMap, wanted: readonly Element[]): number {
    const { name, maxEntries } = map.definition;
    if (wanted.length > maxEntries) this.#logger.warn('a map is full', { name, wanted: wanted.length, maxEntries });
    return become(map, wanted.slice(0, maxEntries));
  }

  #watch(): () => void {
    const stop = watchLinksAndAddresses(() => this.#lookSoon());
    const timer = setInterval(() => this.#lookSoon(), lookEveryMs).unref();
    return () => {
      stop();
      clearInterval(timer);
      clearTimeout(this.#soon);
      this.#soon = undefined;
    };
  }

  #lookSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      try {
        if (this.#tables.restore()) this.#logger.warn('someone took the socket programs away; they are back');
        // What has just changed may go on changing.
        if (this.#look() > 0) this.#lookSoon();
      } catch (error) {
        this.#logger.error('network namespaces could not be looked at', { error });
      }
    }, settleMs).unref();
  }
}

/** Makes a map have exactly these entries. Returns how many it wrote or removed. */
function become(map: BpfMap, wanted: readonly Element[]): number {
  const left = new Map(map.entries().map(([key, value]) => [key.toString('latin1'), { key, value }]));
  const changed = wanted.filter(([key, value]) => {
    const found = left.get(key.toString('latin1'));
    left.delete(key.toString('latin1'));
    return found === undefined || !found.value.equals(value);
  });
  map.delete([...left.values()].map(({ key }) => key));
  map.update(changed);
  return changed.length + left.size;
}
