import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { generation, openNetfilter } from '../../linux/nftables/dump.ts';
import { Transaction } from '../../linux/nftables/transaction.ts';
import { type Logger, silentLogger } from '../../observe/log.ts';
import type { Frontend, FrontendChanges, FrontendKey } from '../../routing/frontend.ts';
import type { Applied, Dataplane, FrontendCounters, NodeNetwork, RefusedFrontend } from '../dataplane.ts';
import { changeInParts, healAndChange } from './change-in-parts.ts';
import { TableFamily } from './family.ts';
import { hasFamily } from './network.ts';
import { unfitReason } from './program.ts';
import { readCounters } from './read.ts';
import { deleteRetiredTables, retireTables } from './retire.ts';
import { layouts, tableName } from './schema.ts';
import type { Draft } from './state.ts';

/** How often the kernel is asked whether someone else changed its rules: one number, a few microseconds. */
const watchMs = 500;
/** After changes of others that left our tables, all of their elements are compared at most this often. */
const verifyMs = 60_000;

export interface NftablesOptions {
  readonly network: NodeNetwork;
  readonly logger?: Logger;
  /** Called when tables that someone flushed or changed have been put right. */
  readonly onRestored?: () => void;
}

/**
 * The nftables plane of the thread's network namespace (Linux 5.13). All work is synchronous system calls, so the plane
 * is never seen half way. A process that only wants to look may call `dump` without `adopt`.
 */
export function createNftablesPlane(options: NftablesOptions): Dataplane {
  return new NftablesPlane(options);
}

class NftablesPlane implements Dataplane {
  readonly name = 'nftables';
  readonly #network: NodeNetwork;
  readonly #logger: Logger;
  readonly #onRestored: () => void;
  readonly #socket: NetlinkSocket = openNetfilter();
  readonly #families: Readonly<Record<Frontend['family'], TableFamily>>;
  #generation = 0;
  #verifiedAtMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ network, logger, onRestored }: NftablesOptions) {
    this.#onRestored = onRestored ?? (() => undefined);
    this.#network = network;
    this.#logger = logger ?? silentLogger;
    this.#families = { IPv4: new TableFamily(layouts.ip, network), IPv6: new TableFamily(layouts.ip6, network) };
  }

  async adopt(desired: readonly Frontend[]): Promise<Applied> {
    const applied = this.#adopt(desired);
    const retired = new Transaction(this.#socket);
    deleteRetiredTables(this.#socket, retired);
    this.#commit(retired);
    this.#timer ??= setInterval(() => this.#watchSafely(), watchMs).unref();
    return applied;
  }

  async apply(changes: FrontendChanges): Promise<Applied> {
    const { fit, refused } = sortOut(changes.changed);
    // A frontend that cannot be programmed must not keep forwarding to where it pointed before.
    const removed = [...changes.removed, ...refused.map(({ key }) => key)];
    try {
      return { ...this.#change(fit, removed), refused };
    } catch (error) {
      this.#logger.warn('a change was refused; comparing everything', { error });
    }
    const heal = () => this.#adopt(this.#frontends());
    const applied = healAndChange(heal, fit, removed, (some, gone) => this.#change(some, gone));
    return { ...applied, refused: [...refused, ...applied.refused] };
  }

  async dump(): Promise<readonly Frontend[]> {
    return Object.values(this.#families).flatMap((family) => family.dump(this.#socket));
  }

  async counters(): Promise<ReadonlyMap<FrontendKey, FrontendCounters>> {
    const layoutsRead = Object.values(this.#families).map(({ layout }) => readCounters(this.#socket, layout));
    return new Map(layoutsRead.flatMap((counts) => [...counts].map(([key, connections]) => [key, { connections }])));
  }

  async retire(signal: AbortSignal): Promise<void> {
    clearInterval(this.#timer);
    await retireTables(this.#socket, signal);
    this.#socket.close();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  async remove(): Promise<void> {
    clearInterval(this.#timer);
    const transaction = new Transaction(this.#socket);
    for (const family of this.#present()) {
      if (family.isOwn(this.#socket)) transaction.deleteTable(family.layout.family, tableName);
    }
    this.#commit(transaction);
    this.#socket.close();
  }

  #frontends(): readonly Frontend[] {
    return Object.values(this.#families).flatMap((family) => family.frontends);
  }

  #present(): TableFamily[] {
    return Object.values(this.#families).filter((family) => family.isPresent);
  }

  #commit(transaction: Transaction): void {
    if (transaction.commit()) this.#generation = nextGeneration(this.#generation);
  }

  #adopt(desired: readonly Frontend[]): Applied {
    this.#generation = generation(this.#socket);
    const { fit, refused } = sortOut(desired);
    let operations = 0;
    const displaced: Frontend[] = [];
    for (const [name, family] of Object.entries(this.#families)) {
      const own = fit.filter((frontend) => frontend.family === name);
      if (own.length === 0 && !family.isPresent && !isWanted(family, this.#network)) continue;
      const applied = this.#adoptFamily(family, own);
      operations += applied.operations;
      refused.push(...applied.refused);
      displaced.push(...(applied.displaced ?? []));
    }
    return { refused, operations, displaced };
  }

  #adoptFamily(family: TableFamily, desired: readonly Frontend[]): Applied {
    const transaction = new Transaction(this.#socket);
    family.takeOver(this.#socket, transaction);
    const before = family.frontends;
    const applied = this.#adoptWhole(family, transaction, desired) ?? this.#adoptInParts(family, desired);
    return { ...applied, displaced: before.filter(({ key }) => !family.programmed.has(key)) };
  }

  /** Undefined when the kernel refuses it. */
  #adoptWhole(family: TableFamily, transaction: Transaction, desired: readonly Frontend[]): Applied | undefined {
    try {
      const draft = family.draftOf(desired);
      family.write(this.#socket, transaction, draft);
      this.#commit(transaction);
      family.record(draft);
      family.recordHandle(this.#socket);
    } catch (error) {
      this.#logger.warn('the whole was refused; trying in parts', { error });
      return undefined;
    }
    family.retireClasses(this.#socket, (each) => this.#commit(each));
    return { refused: [], operations: transaction.operations };
  }

  /** The table first; what it cannot hold is found by halving. */
  #adoptInParts(family: TableFamily, desired: readonly Frontend[]): Applied {
    const transaction = new Transaction(this.#socket);
    family.takeOver(this.#socket, transaction);
    this.#commit(transaction);
    family.recordHandle(this.#socket);
    const wanted = new Set(desired.map((frontend) => frontend.key));
    const removed = [...family.programmed.keys()].filter((key) => !wanted.has(key));
    return changeInParts(desired, removed, (some, gone) => this.#change(some, gone));
  }

  /** One transaction for both families, then what follows from it. */
  #change(changed: readonly Frontend[], removed: readonly string[]): Applied {
    const transaction = new Transaction(this.#socket);
    const drafts: { readonly family: TableFamily; readonly draft: Draft; readonly isNew: boolean }[] = [];
    for (const [name, family] of Object.entries(this.#families)) {
      const own = changed.filter((frontend) => frontend.family === name);
      const isNew = !family.isPresent && own.length > 0;
      if (isNew) family.takeOver(this.#socket, transaction);
      if (!isNew && !family.isPresent) continue;
      const draft = family.draft(own, removed);
      family.write(this.#socket, transaction, draft);
      drafts.push({ family, draft, isNew });
    }
    this.#commit(transaction);
    for (const { family, draft, isNew } of drafts) {
      family.record(draft);
      if (isNew) family.recordHandle(this.#socket);
      family.retireClasses(this.#socket, (each) => this.#commit(each));
    }
    return { refused: [], operations: transaction.operations };
  }

  /** A look that failed is repeated by the next one. */
  #watchSafely(): void {
    try {
      this.#watch();
    } catch (error) {
      this.#logger.error('the nftables tables could not be looked at', { error });
    }
  }

  /** Notices that someone flushed or changed our tables, and puts them right. */
  #watch(): void {
    if (generation(this.#socket) === this.#generation) return;
    const isIntact = this.#present().every((family) => family.isIntact(this.#socket));
    const now = performance.now();
    if (isIntact && now - this.#verifiedAtMs < verifyMs) return;
    this.#verifiedAtMs = now;
    const { operations } = this.#adopt(this.#frontends());
    if (operations === 0) return;
    this.#logger.warn('someone changed our nftables tables; they are restored', { operations });
    this.#onRestored();
  }
}

/** The kernel counts commits in 32 bits and leaves 0 out. */
function nextGeneration(number: number): number {
  return (number + 1) >>> 0 || 1;
}

/** IPv4 always has a table, IPv6 when the node's network or a frontend needs it. */
function isWanted(family: TableFamily, network: NodeNetwork): boolean {
  return family.layout.family === 'ip' || hasFamily(family.layout, network);
}

/** Frontends that cannot be expressed are refused before the kernel sees them. */
function sortOut(frontends: readonly Frontend[]): { fit: Frontend[]; refused: RefusedFrontend[] } {
  const refused: RefusedFrontend[] = [];
  const fit = frontends.filter((frontend) => {
    const reason = unfitReason(frontend);
    if (reason === undefined) return true;
    refused.push({ key: frontend.key, reason });
    return false;
  });
  return { fit, refused };
}
