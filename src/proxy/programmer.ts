import { setImmediate as eventLoopTurn, setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../observe/log.ts';
import type { Frontend, FrontendChanges, FrontendKey } from '../routing/frontend.ts';
import type { Applied, Dataplane, RefusedFrontend } from './dataplane.ts';
import type { ProxyMetrics } from './metrics.ts';
import { NoLocalEndpoints } from './no-local-endpoints.ts';
import type { ProxyHealth } from './proxy-health.ts';

/** How long to wait after a plane failed as a whole: doubled each time, up to the last. */
const firstRetryMs = 250;
const lastRetryMs = 30_000;

/** More callers than a listener's queue holds (Node's backlog is 511). */
const queueTurns = 1000;

export interface ProgrammerOptions {
  /** Opens the plane, when it is first needed and on `reopen`. Rejects when it cannot be had; that is tried again. */
  readonly open: () => Promise<Dataplane>;
  readonly health: ProxyHealth;
  readonly metrics: ProxyMetrics;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Refused frontends are tried again this often: the port they need may be free by then. */
  readonly retryRefusedMs: number;
  /** Called when a frontend is refused for a new reason. */
  readonly onRefused: (frontend: Frontend, refusal: RefusedFrontend) => void;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** What changes of frontends came from: for metrics. */
export interface Cause {
  readonly serviceChanges: number;
  readonly endpointChanges: number;
  /** When each change that tells it was written to the API, in Unix milliseconds. */
  readonly triggeredAtMs: readonly number[];
}

/** What no object caused. */
export const noCause: Cause = { serviceChanges: 0, endpointChanges: 0, triggeredAtMs: [] };

/** Frontends to write (undefined: to remove), each once, and what they came from. */
interface Batch {
  readonly frontends: ReadonlyMap<FrontendKey, Frontend | undefined>;
  readonly cause: Cause;
}

/**
 * Brings changes into the plane one batch at a time: at once when it is idle; what arrives meanwhile becomes the next
 * batch, in which each frontend is written once. A batch that failed is tried again together with what came since.
 */
export class Programmer {
  readonly #options: ProgrammerOptions;
  readonly #desired = new Map<FrontendKey, Frontend>();
  readonly #refused = new Map<FrontendKey, RefusedFrontend>();
  readonly #noLocalEndpoints: NoLocalEndpoints;
  #pending = new Map<FrontendKey, Frontend | undefined>();
  /** Of what is pending, and of the batch that is under way. */
  #cause = noCause;
  #causeUnderWay = noCause;
  #running: Promise<void> | undefined;
  #plane: Dataplane | undefined;
  #isAdopted = false;
  /** A plane has to be opened and to take over: at first, and whenever `reopen` asks for it. */
  #mustAdopt = true;
  #version = 0;

  constructor(options: ProgrammerOptions) {
    this.#options = options;
    this.#noLocalEndpoints = new NoLocalEndpoints(options.metrics.noLocalEndpoints);
    const timer = setInterval(() => this.#retryRefused(), options.retryRefusedMs).unref();
    options.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  get desired(): ReadonlyMap<FrontendKey, Frontend> {
    return this.#desired;
  }

  get refused(): ReadonlyMap<FrontendKey, RefusedFrontend> {
    return this.#refused;
  }

  /** Changes with every change of `desired`. */
  get version(): number {
    return this.#version;
  }

  /** Whether a plane has come into force. */
  get isAdopted(): boolean {
    return this.#isAdopted;
  }

  /** The plane in use; undefined before the first batch. */
  get plane(): Dataplane | undefined {
    return this.#plane;
  }

  /**
   * Makes the plane exactly these frontends; the first time by taking over what an earlier process left. Resolves when
   * they are in force (or refused), or the signal has ended it.
   */
  become(frontends: Iterable<Frontend>): Promise<void> {
    const changed = [...frontends];
    const keys = new Set(changed.map((frontend) => frontend.key));
    const removed = [...this.#desired.keys()].filter((key) => !keys.has(key));
    return this.push({ changed, removed });
  }

  /** Resolves when everything pushed so far is in force, or the signal has ended it. */
  push({ changed, removed }: Pick<FrontendChanges, 'changed' | 'removed'>, cause: Cause = noCause): Promise<void> {
    for (const key of removed) this.#note(key, undefined);
    for (const frontend of changed) this.#note(frontend.key, frontend);
    this.#cause = joined(this.#cause, cause);
    this.#showQueue();
    const nowMs = this.#options.now();
    this.#options.health.queued(nowMs);
    for (const ip_family of familiesOf(this.#pending.keys())) {
      this.#options.metrics.lastQueued.set(nowMs / 1000, { ip_family });
    }
    return this.#start();
  }

  /**
   * Puts another plane in the place of this one, or the same anew: it takes over what this one leaves in force. Resolves
   * when it has, or the signal has ended it; before the first batch there is nothing to take over. Tells whether it is in
   * force.
   */
  async reopen(): Promise<boolean> {
    const isFirst = this.#running === undefined && !this.#isAdopted;
    if (isFirst) return false;
    this.#mustAdopt = true;
    this.#options.health.queued(this.#options.now());
    await this.#start();
    return !this.#mustAdopt;
  }

  /** Resolves when no batch is under way; with the signal aborted, none will be any more. */
  async settled(): Promise<void> {
    await this.#running;
  }

  #start(): Promise<void> {
    return (this.#running ??= this.#run().finally(() => (this.#running = undefined)));
  }

  #note(key: FrontendKey, frontend: Frontend | undefined): void {
    this.#pending.set(key, frontend);
    this.#version += 1;
    if (frontend === undefined) {
      this.#desired.delete(key);
      this.#noLocalEndpoints.remove(key);
    } else {
      this.#desired.set(key, frontend);
      this.#noLocalEndpoints.put(frontend);
    }
  }

  async #run(): Promise<void> {
    let retryMs = firstRetryMs;
    const { signal, health, now } = this.#options;
    while (!signal.aborted && (this.#pending.size > 0 || this.#mustAdopt)) {
      const batch = this.#take();
      try {
        await this.#program(batch);
        retryMs = firstRetryMs;
      } catch (error) {
        this.#giveBack(batch, error, retryMs);
        await delay(retryMs, undefined, { signal }).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, lastRetryMs);
      }
    }
    if (!signal.aborted) health.updated(now());
  }

  #take(): Batch {
    const batch = { frontends: this.#pending, cause: this.#cause };
    this.#pending = new Map();
    this.#cause = noCause;
    this.#causeUnderWay = batch.cause;
    return batch;
  }

  #giveBack(batch: Batch, error: unknown, retryMs: number): void {
    this.#options.metrics.failures.inc();
    this.#options.logger.error('the data plane failed; trying again', { error, retryMs });
    this.#pending = new Map([...batch.frontends, ...this.#pending]);
    this.#cause = joined(batch.cause, this.#cause);
    this.#causeUnderWay = noCause;
  }

  async #program({ frontends, cause }: Batch): Promise<void> {
    const startMs = performance.now();
    const isAdoption = this.#mustAdopt;
    const applied = isAdoption ? await this.#adopt() : await this.#apply(frontends);
    const tookMs = performance.now() - startMs;
    const tried = isAdoption ? [...this.#desired.keys()] : [...frontends.keys()];
    this.#noteRefusals(tried, applied);
    this.#observe(familiesOf(tried), applied, tookMs, isAdoption ? noCause : cause);
    const { logger } = this.#options;
    logger.debug('programmed', { frontends: tried.length, operations: applied.operations, tookMs });
  }

  async #adopt(): Promise<Applied> {
    this.#mustAdopt = false;
    try {
      const applied = await this.#takeOver();
      this.#isAdopted = true;
      return applied;
    } catch (error) {
      this.#mustAdopt = true;
      throw error;
    }
  }

  /**
   * Kernel planes leave everything in force when they are closed, and two of them do not get into each other's way; the
   * userspace plane ends, so it waits until the next one is there.
   */
  async #takeOver(): Promise<Applied> {
    const before = this.#plane;
    if (before !== undefined && before.name !== 'userspace') {
      this.#plane = undefined;
      await before.close();
    }
    const plane = await this.#options.open();
    const applied = await adoptOrClose(plane, [...this.#desired.values()]);
    this.#plane = plane;
    if (before?.name !== 'userspace') return applied;
    await takeQueued(before);
    await before.close();
    const changed = this.#wanted(applied.refused.map(({ key }) => key));
    const again = await plane.apply({ changed, removed: [], triggeredAtMs: undefined });
    return { refused: again.refused, operations: applied.operations + again.operations };
  }

  #wanted(keys: Iterable<FrontendKey>): readonly Frontend[] {
    return [...keys].map((key) => this.#desired.get(key)).filter((each) => each !== undefined);
  }

  async #apply(frontends: ReadonlyMap<FrontendKey, Frontend | undefined>): Promise<Applied> {
    return this.#plane?.apply(changesOf(frontends)) ?? { refused: [], operations: 0 };
  }

  #observe(families: readonly string[], applied: Applied, tookMs: number, cause: Cause): void {
    const { metrics, now } = this.#options;
    const nowMs = now();
    metrics.operations.inc({}, applied.operations);
    for (const ip_family of families) {
      metrics.sync.observe(tookMs / 1000, { ip_family });
      metrics.lastSynced.set(nowMs / 1000, { ip_family });
      for (const triggeredAtMs of cause.triggeredAtMs) {
        metrics.programming.observe(Math.max(0, nowMs - triggeredAtMs) / 1000, { ip_family });
      }
    }
    this.#causeUnderWay = noCause;
    this.#showQueue();
  }

  #showQueue(): void {
    const { metrics } = this.#options;
    metrics.frontends.set(this.#desired.size);
    const waiting = joined(this.#causeUnderWay, this.#cause);
    metrics.serviceChangesPending.set(waiting.serviceChanges);
    metrics.endpointChangesPending.set(waiting.endpointChanges);
  }

  #noteRefusals(tried: readonly FrontendKey[], { refused }: Applied): void {
    const before = new Map(this.#refused);
    for (const key of tried) this.#refused.delete(key);
    for (const refusal of refused) {
      const { key } = refusal;
      this.#refused.set(key, refusal);
      const frontend = this.#desired.get(key);
      if (frontend !== undefined && !isDeepStrictEqual(before.get(key), refusal))
        this.#options.onRefused(frontend, refusal);
    }
    this.#options.metrics.refused.set(this.#refused.size);
  }

  #retryRefused(): void {
    const again = this.#wanted(this.#refused.keys());
    for (const frontend of again) this.#pending.set(frontend.key, frontend);
    if (again.length > 0) void this.#start();
  }
}

async function adoptOrClose(plane: Dataplane, desired: readonly Frontend[]): Promise<Applied> {
  try {
    return await plane.adopt(desired);
  } catch (error) {
    await plane.close();
    throw error;
  }
}

/**
 * Lets a userspace plane take those who called before the next plane was in force: they are in the queues of its
 * listeners, which give up one for each turn of the event loop. Who comes where the next plane is not, is not waited for.
 */
async function takeQueued(plane: Dataplane): Promise<void> {
  let seen = -1;
  for (let turn = 0; turn < queueTurns; turn += 1) {
    const count = sum([...(await plane.counters()).values()].map(({ connections }) => connections));
    if (count === seen) return;
    seen = count;
    // The rest of this turn, and a whole one.
    await eventLoopTurn();
    await eventLoopTurn();
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function joined(a: Cause, b: Cause): Cause {
  return {
    serviceChanges: a.serviceChanges + b.serviceChanges,
    endpointChanges: a.endpointChanges + b.endpointChanges,
    triggeredAtMs: b.triggeredAtMs.length === 0 ? a.triggeredAtMs : [...a.triggeredAtMs, ...b.triggeredAtMs],
  };
}

function familiesOf(keys: Iterable<FrontendKey>): readonly ('IPv4' | 'IPv6')[] {
  const found = new Set<'IPv4' | 'IPv6'>();
  for (const key of keys) {
    found.add(key.startsWith('[') ? 'IPv6' : 'IPv4');
    if (found.size === 2) break;
  }
  return [...found];
}

function changesOf(batch: ReadonlyMap<FrontendKey, Frontend | undefined>): FrontendChanges {
  const changed: Frontend[] = [];
  const removed: FrontendKey[] = [];
  for (const [key, frontend] of batch) {
    if (frontend === undefined) removed.push(key);
    else changed.push(frontend);
  }
  return { changed, removed, triggeredAtMs: undefined };
}
