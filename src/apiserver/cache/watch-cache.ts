import type { Store, StoreEvent } from '../../store/store.ts';
import { SlowWatcherError } from '../../store/store.ts';
import { Change } from './change.ts';
import { Item } from './item.ts';
import { ResourceCache } from './resource-cache.ts';

/** Everything the server stores lives under this key prefix. */
export const registryPrefix = '/registry/';

/** Changes remembered in memory per resource; older ones are read from the store's own history. */
const historyLimit = 1000;

interface Waiter {
  readonly revision: number;
  resolve(): void;
}

/**
 * The server's view of the store: one watch over everything, dealt out to one `ResourceCache` per resource. Reads never
 * touch the store except for the past.
 */
export class WatchCache implements AsyncDisposable {
  readonly #store: Store;
  readonly #resources = new Map<string, ResourceCache>();
  readonly #abort = new AbortController();
  #waiters: Waiter[] = [];
  #revision: number;
  #running: Promise<void> = Promise.resolve();

  private constructor(store: Store, revision: number) {
    this.#store = store;
    this.#revision = revision;
  }

  /** Reads the whole store and follows it from there. `onFailure` is told when following ends by an error. */
  static async open(store: Store, onFailure: (error: unknown) => void): Promise<WatchCache> {
    const { entries, revision } = await store.list(registryPrefix);
    const cache = new WatchCache(store, revision);
    for (const entry of entries) cache.resource(resourceOf(entry.key)).load(Item.of(entry));
    cache.#running = cache.#follow().catch(onFailure);
    return cache;
  }

  /** The revision up to which this cache shows everything. */
  get revision(): number {
    return this.#revision;
  }

  /** The cache of one resource, named as in keys: `services`, `deployments.apps`. */
  resource(name: string): ResourceCache {
    const known = this.#resources.get(name);
    if (known !== undefined) return known;
    const made = new ResourceCache(`${registryPrefix}${name}/`, this.#revision, historyLimit);
    this.#resources.set(name, made);
    return made;
  }

  /** Every resource that has been seen, by name. */
  get resources(): ReadonlyMap<string, ResourceCache> {
    return this.#resources;
  }

  /** Resolves when the cache shows every write that was acknowledged before the call. */
  async fresh(): Promise<void> {
    await this.reached(this.#store.revision);
  }

  /** Resolves with true once the cache shows `revision`, or with false after `timeoutMs`. */
  reached(revision: number, timeoutMs = 3000): Promise<boolean> {
    if (revision <= this.#revision) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter = { revision, resolve: () => (clearTimeout(timer), resolve(true)) };
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((each) => each !== waiter);
        resolve(false);
      }, timeoutMs);
      this.#waiters.push(waiter);
    });
  }

  /**
   * The changes under `prefix` from `from` (exclusive) to `to` (inclusive), out of the store's history. Throws
   * `CompactedError` when part of them is gone.
   */
  async history(prefix: string, from: number, to: number): Promise<readonly Change[]> {
    const changes: Change[] = [];
    if (from >= to) return changes;
    const abort = new AbortController();
    try {
      for await (const batch of this.#store.watch(registryPrefix, { from, signal: abort.signal })) {
        for (const event of batch) {
          if (event.revision <= to && event.key.startsWith(prefix)) changes.push(Change.of(event));
        }
        if ((batch.at(-1)?.revision ?? 0) >= to) break;
      }
    } finally {
      abort.abort();
    }
    return changes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  /** Follows the store until disposed. Cut off for being slow, it goes on from where it was; the store keeps the history. */
  async #follow(): Promise<void> {
    const signal = this.#abort.signal;
    while (!signal.aborted) {
      try {
        for await (const batch of this.#store.watch(registryPrefix, { from: this.#revision, signal }))
          this.#apply(batch);
        return;
      } catch (error) {
        if (!(error instanceof SlowWatcherError)) throw error;
      }
    }
  }

  #apply(batch: readonly StoreEvent[]): void {
    for (const event of batch) {
      const item = event.entry === undefined ? undefined : Item.of(event.entry);
      this.#revision = event.revision;
      this.resource(resourceOf(event.key)).apply(event.key, event.revision, item);
    }
    this.#wake();
  }

  #wake(): void {
    const ready = this.#waiters.filter((waiter) => waiter.revision <= this.#revision);
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > this.#revision);
    for (const waiter of ready) waiter.resolve();
  }
}

/** `/registry/deployments.apps/shop/cart` → `deployments.apps`. */
function resourceOf(key: string): string {
  return key.slice(registryPrefix.length, key.indexOf('/', registryPrefix.length));
}
