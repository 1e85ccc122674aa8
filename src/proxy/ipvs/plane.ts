import { setTimeout } from 'node:timers/promises';
import { generation } from '../../linux/nftables/dump.ts';
import { type Logger, silentLogger } from '../../observe/log.ts';
import type { Frontend, FrontendChanges, FrontendKey } from '../../routing/frontend.ts';
import { type Applied, type Dataplane, type FrontendCounters, type NodeNetwork, retiresNoMore } from '../dataplane.ts';
import { changeInParts, healAndChange } from '../nftables/change-in-parts.ts';
import type { IpvsSettings } from '../open-plane.ts';
import { Forwarding } from './forwarding.ts';
import { tuneKernel } from './sysctls.ts';

/** How often the kernel is asked whether someone else changed its rules: one number, a few microseconds. */
const watchMs = 500;
/**
 * How often virtual servers and the link are looked for, and what others changed is compared at most. In the same time the
 * real servers of each virtual server are looked at once, a few at a time.
 */
const verifyMs = 30_000;
/** How often backends that are gone are asked for their connections, while there are any. */
const drainCheckMs = 1000;

export interface IpvsOptions {
  readonly network: NodeNetwork;
  readonly logger?: Logger;
  /** Of the whole network namespace. */
  readonly ipvs?: IpvsSettings;
  /** Called when what someone changed in the kernel has been put right. */
  readonly onRestored?: () => void;
}

/**
 * The IPVS plane of the thread's network namespace: virtual servers, a dummy link with their addresses, and a companion
 * nftables table. All work is synchronous system calls. A process that only wants to look may call `dump` without `adopt`;
 * one that only wants to end it, `retire` or `remove`. Throws an Error when the kernel has no IPVS.
 */
export function createIpvsPlane(options: IpvsOptions): Dataplane {
  return new IpvsPlane(options);
}

class IpvsPlane implements Dataplane {
  readonly name = 'ipvs';
  readonly #options: IpvsOptions;
  readonly #logger: Logger;
  readonly #forwarding: Forwarding;
  #generation = 0;
  #verifiedAtMs = 0;
  /** Someone changed real servers. */
  #isSuspect = false;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(options: IpvsOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#forwarding = new Forwarding(options.network);
  }

  async adopt(desired: readonly Frontend[]): Promise<Applied> {
    const { strictArp = false, tcpTimeoutSeconds, tcpFinTimeoutSeconds, udpTimeoutSeconds } = this.#options.ipvs ?? {};
    tuneKernel(strictArp);
    const timeouts = { tcp: tcpTimeoutSeconds, tcpFin: tcpFinTimeoutSeconds, udp: udpTimeoutSeconds };
    this.#forwarding.ipvs.setTimeouts(timeouts);
    const applied = this.#adopt(desired);
    if (this.#timers.length === 0) {
      this.#every(watchMs, () => this.#watch());
      this.#every(drainCheckMs, () => this.#forwarding.drain(performance.now()));
    }
    return applied;
  }

  async apply({ changed, removed }: FrontendChanges): Promise<Applied> {
    try {
      return this.#change(changed, removed);
    } catch (error) {
      this.#logger.warn('a change was refused; comparing everything', { error });
    }
    const heal = () => this.#adopt(this.#forwarding.frontends);
    return healAndChange(heal, changed, removed, (some, gone) => this.#change(some, gone));
  }

  async dump(): Promise<readonly Frontend[]> {
    return this.#forwarding.dump();
  }

  /** The kernel sums its counters every two seconds. */
  async counters(): Promise<ReadonlyMap<FrontendKey, FrontendCounters>> {
    return this.#forwarding.counters();
  }

  async close(): Promise<void> {
    this.#stopTimers();
    this.#forwarding.close();
  }

  async remove(): Promise<void> {
    this.#stopTimers();
    this.#forwarding.remove();
    this.#forwarding.close();
  }

  async retire(signal: AbortSignal): Promise<void> {
    this.#stopTimers();
    this.#forwarding.stopTaking();
    while (this.#forwarding.isDraining && !signal.aborted) {
      await pause(drainCheckMs, signal);
      this.#forwarding.drain(performance.now());
    }
    if (signal.reason === retiresNoMore) this.#forwarding.close();
    else await this.remove();
  }

  #adopt(desired: readonly Frontend[]): Applied {
    const before = this.#forwarding.load(desired);
    const applied = this.#adoptWhole(desired) ?? this.#adoptInParts(desired);
    const inForce = new Set(this.#forwarding.frontends.map(({ key }) => key));
    return { ...applied, displaced: before.filter(({ key }) => !inForce.has(key)) };
  }

  /** Undefined when the kernel refuses it. */
  #adoptWhole(desired: readonly Frontend[]): Applied | undefined {
    try {
      return this.#change(desired, [], true);
    } catch (error) {
      this.#logger.warn('the whole was refused; trying in parts', { error });
      return undefined;
    }
  }

  #adoptInParts(desired: readonly Frontend[]): Applied {
    this.#forwarding.load(desired);
    const emptied = this.#change([], [], true);
    const applied = changeInParts(desired, [], (some, gone) => this.#change(some, gone));
    return { ...applied, operations: emptied.operations + applied.operations };
  }

  /** Takes note of the generation of nftables that a change of ours leads to. */
  #change(changed: readonly Frontend[], removed: readonly FrontendKey[], purge = false): Applied {
    const applied = this.#forwarding.change(changed, removed, purge);
    this.#generation = generation(this.#forwarding.socket);
    return applied;
  }

  #every(ms: number, work: () => void): void {
    const safely = () => {
      try {
        work();
      } catch (error) {
        // The next time tries it again.
        this.#logger.error('what IPVS has could not be looked at', { error });
      }
    };
    this.#timers.push(setInterval(safely, ms).unref());
  }

  #stopTimers(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }

  /** Notices that someone took away or changed what is ours, and puts it right. */
  #watch(): void {
    const now = performance.now();
    const isChanged = generation(this.#forwarding.socket) !== this.#generation;
    const isDue = now - this.#verifiedAtMs >= verifyMs;
    this.#isSuspect ||= !this.#forwarding.areNextServersIntact(watchMs / verifyMs);
    if (!isDue && !(isChanged && !this.#forwarding.isTableIntact())) return;
    this.#verifiedAtMs = now;
    if (!isChanged && !this.#isSuspect && this.#forwarding.isIntact()) return;
    this.#isSuspect = false;
    const { operations } = this.#adopt(this.#forwarding.frontends);
    if (operations === 0) return;
    this.#logger.warn('someone changed what IPVS has of ours; it is restored', { operations });
    this.#options.onRestored?.();
  }
}

/** Ends early, without an error, when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}
