import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../observe/log.ts';
import type { Frontend, FrontendChanges, FrontendKey } from '../routing/frontend.ts';
import type { Applied, Dataplane } from './dataplane.ts';
import type { ProxyMetrics } from './metrics.ts';

/** How long to wait after a plane failed as a whole: doubled each time, up to the last. */
const firstRetryMs = 250;
const lastRetryMs = 30_000;
/** Refused frontends are tried again this often: the port they need may be free by then. */
const refusedRetryMs = 30_000;

export interface ProgrammerOptions {
  readonly plane: Dataplane;
  readonly metrics: ProxyMetrics;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Called when a frontend is refused for a new reason. */
  readonly onRefused: (frontend: Frontend, reason: string) => void;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/**
 * Brings changes into the plane one batch at a time: at once when it is idle; what arrives meanwhile becomes the next
 * batch, in which each frontend is written once. A batch that failed is tried again together with what came since.
 */
export class Programmer {
  readonly #options: ProgrammerOptions;
  readonly #desired = new Map<FrontendKey, Frontend>();
  readonly #refused = new Map<FrontendKey, string>();
  #pending = new Map<FrontendKey, Frontend | undefined>();
  #triggeredAtMs: number | undefined;
  #running: Promise<void> | undefined;
  #isAdopted = false;
  #version = 0;

  constructor(options: ProgrammerOptions) {
    this.#options = options;
    const timer = setInterval(() => this.#retryRefused(), refusedRetryMs).unref();
    options.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  get desired(): ReadonlyMap<FrontendKey, Frontend> {
    return this.#desired;
  }

  get refused(): ReadonlyMap<FrontendKey, string> {
    return this.#refused;
  }

  /** Changes with every change of `desired`. */
  get version(): number {
    return this.#version;
  }

  get isAdopted(): boolean {
    return this.#isAdopted;
  }

  /** Makes exactly these frontends the desired ones. Resolves when they are in force. */
  become(frontends: Iterable<Frontend>): Promise<void> {
    const changed = [...frontends];
    const keys = new Set(changed.map((frontend) => frontend.key));
    const removed = [...this.#desired.keys()].filter((key) => !keys.has(key));
    return this.push({ changed, removed, triggeredAtMs: undefined });
  }

  /** Resolves when everything pushed so far is in force, or the signal has ended it. */
  push({ changed, removed, triggeredAtMs }: FrontendChanges): Promise<void> {
    for (const key of removed) this.#note(key, undefined);
    for (const frontend of changed) this.#note(frontend.key, frontend);
    if (triggeredAtMs !== undefined) {
      this.#triggeredAtMs = Math.min(triggeredAtMs, this.#triggeredAtMs ?? Number.POSITIVE_INFINITY);
    }
    this.#options.metrics.frontends.set(this.#desired.size);
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }

  #note(key: FrontendKey, frontend: Frontend | undefined): void {
    this.#pending.set(key, frontend);
    this.#version += 1;
    if (frontend === undefined) this.#desired.delete(key);
    else this.#desired.set(key, frontend);
  }

  async #run(): Promise<void> {
    let retryMs = firstRetryMs;
    const { signal, logger, metrics } = this.#options;
    while (!signal.aborted && (this.#pending.size > 0 || !this.#isAdopted)) {
      const batch = this.#pending;
      const triggeredAtMs = this.#triggeredAtMs;
      this.#pending = new Map();
      this.#triggeredAtMs = undefined;
      try {
        await this.#program(batch, triggeredAtMs);
        retryMs = firstRetryMs;
      } catch (error) {
        metrics.failures.inc();
        logger.error('the data plane failed; trying again', { error, retryMs });
        this.#pending = new Map([...batch, ...this.#pending]);
        this.#triggeredAtMs = triggeredAtMs ?? this.#triggeredAtMs;
        await delay(retryMs, undefined, { signal }).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, lastRetryMs);
      }
    }
  }

  async #program(
    batch: ReadonlyMap<FrontendKey, Frontend | undefined>,
    triggeredAtMs: number | undefined,
  ): Promise<void> {
    const { plane, metrics, logger, now } = this.#options;
    const startMs = performance.now();
    const isAdoption = !this.#isAdopted;
    const applied = isAdoption ? await plane.adopt([...this.#desired.values()]) : await plane.apply(changes(batch));
    this.#isAdopted = true;
    const tookMs = performance.now() - startMs;
    metrics.apply.observe(tookMs / 1000);
    metrics.operations.inc({}, applied.operations);
    if (triggeredAtMs !== undefined) metrics.programming.observe(Math.max(0, now() - triggeredAtMs) / 1000);
    this.#noteRefusals(isAdoption ? [...this.#desired.keys()] : [...batch.keys()], applied);
    logger.debug('programmed', { frontends: batch.size, operations: applied.operations, tookMs: Math.round(tookMs) });
  }

  #noteRefusals(tried: readonly FrontendKey[], { refused }: Applied): void {
    const before = new Map(this.#refused);
    for (const key of tried) this.#refused.delete(key);
    for (const { key, reason } of refused) {
      this.#refused.set(key, reason);
      const frontend = this.#desired.get(key);
      if (frontend !== undefined && before.get(key) !== reason) this.#options.onRefused(frontend, reason);
    }
    this.#options.metrics.refused.set(this.#refused.size);
  }

  #retryRefused(): void {
    const changed = [...this.#refused.keys()].map((key) => this.#desired.get(key)).filter((each) => each !== undefined);
    if (changed.length > 0) void this.push({ changed, removed: [], triggeredAtMs: undefined });
  }
}

function changes(batch: ReadonlyMap<FrontendKey, Frontend | undefined>): FrontendChanges {
  const changed: Frontend[] = [];
  const removed: FrontendKey[] = [];
  for (const [key, frontend] of batch) {
    if (frontend === undefined) removed.push(key);
    else changed.push(frontend);
  }
  return { changed, removed, triggeredAtMs: undefined };
}
