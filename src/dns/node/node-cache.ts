import { setTimeout as delay } from 'node:timers/promises';
import { readSysctl, writeSysctl } from '../../linux/sysctl.ts';
import { isBoundByOthers } from '../../linux/udp-sockets.ts';
import type { Logger } from '../../observe/log.ts';
import type { SocketAddress } from '../config.ts';
import { takeAddresses, type TakenAddresses } from './addresses.ts';
import { keepUntracked } from './untracked.ts';

const lookEveryMs = 20;
/** Milliseconds that a process waits for the cluster while another one still answers. */
const mostOverlapMs = 30_000;
/** Hands connections that wait for a listener that closes to another at the address (Linux 5.14). */
const migrate = 'net.ipv4.tcp_migrate_req';

export interface NodeCacheOptions {
  /** This machine's own as long as this process lives. */
  readonly addresses: readonly SocketAddress[];
  readonly logger: Logger;
}

/**
 * What a node needs so that its Pods find a DNS server on it. Two processes share the addresses while one takes over from the
 * other: the new one listens when it knows the cluster, the old one leaves when the new one listens.
 *
 * ```
 * old   answers ─────────────────────────── SIGTERM ─ waits ─┐ drains ─ ends
 * new            addresses ─ reads the cluster ─ listens ────┴─ answers ──────
 * ```
 */
export class NodeCache implements Disposable {
  readonly #options: NodeCacheOptions;
  readonly #addresses: TakenAddresses;
  #rules: Disposable | undefined;

  constructor(options: NodeCacheOptions) {
    this.#options = options;
    this.#addresses = takeAddresses(options.addresses, options.logger);
    moveConnections(options.logger);
  }

  /** Whether it must be able to change the network at its end. */
  get needsRights(): boolean {
    return this.#addresses.needsRights;
  }

  /** Whether another process answers here: all of the addresses. */
  #hasOther(): boolean {
    return this.#options.addresses.every(({ address, port }) => isBoundByOthers(address, port));
  }

  /** Resolves when this process may listen: it knows the cluster, or nobody else answers, or it shall end. */
  async mayListen(synced: Promise<void>, signal?: AbortSignal): Promise<void> {
    let isSynced = false;
    void synced.then(() => (isSynced = true));
    const endMs = performance.now() + mostOverlapMs;
    const isOver = (): boolean => isSynced || signal?.aborted === true || performance.now() >= endMs;
    while (!isOver() && this.#hasOther()) await delay(lookEveryMs);
  }

  /** To be called when this process listens: before, a Service's address still leads elsewhere. */
  listens(): void {
    this.#rules ??= keepUntracked(this.#options.addresses, this.#options.logger);
  }

  /** Resolves when this process may stop listening: another one does, or the time is over. */
  async mayLeave(mostMs: number): Promise<void> {
    const endMs = performance.now() + mostMs;
    while (performance.now() < endMs && !this.#hasOther()) await delay(lookEveryMs);
  }

  /** Lets packets pass as they would without this process; what comes here nevertheless is still answered. */
  leave(): void {
    this.#rules?.[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.leave();
    this.#addresses[Symbol.dispose]();
  }
}

function moveConnections(logger: Logger): void {
  if (readSysctl(migrate) !== '0') return;
  try {
    writeSysctl(migrate, '1');
  } catch (error) {
    logger.warn('connections that are being opened while a process takes over may be reset', {
      sysctl: migrate,
      error,
    });
  }
}
