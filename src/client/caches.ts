import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import { systemClock } from '../observe/clock.ts';
import type { Clock } from '../observe/clock.ts';
import { silentLogger } from '../observe/log.ts';
import type { Logger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Client } from './client.ts';
import { runListWatch } from './list-watch.ts';
import { createObjectCache } from './object-cache.ts';
import type { ObjectCache } from './object-cache.ts';
import { RelistRequest } from './relist-request.ts';
import { auditCache, type AuditPace, defaultAuditPace } from './watch-audit.ts';
import { writeThrough } from './write-through.ts';

/** One object that changed: `old` is undefined for a new one, `current` for one that is gone; never both. */
export interface Change<T> {
  readonly old: T | undefined;
  readonly current: T | undefined;
}

/** Called with the changes of one batch of events, after the cache shows all of them. Must not throw or mutate. */
export type ChangeHandler<T> = (changes: readonly Change<T>[]) => void;

/**
 * The objects of one kind, kept up to date by one watch. While the server is away it keeps the last known state. Objects
 * are shared by all readers and never changed in place.
 */
export interface Cache<T> {
  readonly kind: Kind<T>;
  /** Resolves when the first full list is in. Never rejects. */
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
  get(name: string, namespace?: string): T | undefined;
  /** In no particular order; of one namespace when given. */
  list(namespace?: string): readonly T[];
  /** How many objects it holds. */
  readonly size: number;
  /**
   * A lookup by other keys than the name, kept up to date with the cache. Asking again for a name gives the same index,
   * so `keysOf` must then be the same function in effect.
   */
  index(name: string, keysOf: (object: T) => readonly string[]): (key: string) => readonly T[];
  /** `handler` is called at once with what is there (when anything is), then with every batch until disposed of. */
  subscribe(handler: ChangeHandler<T>): Disposable;
}

export interface CacheOptions<T> {
  /** Of one namespace only. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /**
   * What is kept of an object: drop large fields that nobody reads. A cache with a transform has a `view` name, and all
   * users of that name pass the same transform. Objects always lose `metadata.managedFields`.
   */
  readonly transform?: (object: T) => T;
  /**
   * What stays of an object in the cache when its handlers have been told: for readers that take in all they need then.
   * `get`, `list` and late subscribers see only that. Goes with `view`, as `transform` does.
   */
  readonly retain?: (object: T) => T;
  /** Names what the transform leaves; caches of one kind with different views have watches of their own. */
  readonly view?: string;
}

export interface Caches extends AsyncDisposable {
  /** The cache of a kind (and selector); starts its watch when first asked for. */
  of<T extends ApiObject>(kind: Kind<T>, options?: CacheOptions<T>): Cache<T>;
  /** Resolves when every cache asked for so far is synced. */
  synced(): Promise<void>;
  /**
   * `client`, with the answers to its writes entering the caches at once, ahead of their watch events: readers of a cache
   * see their own writes. It must lead to the same server. Only caches without selectors take part.
   */
  through(client: Client): Client;
  /** The client that the caches were made with, that way. */
  readonly client: Client;
}

export interface CachesOptions {
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** A number in [0, 1) for jitter. */
  readonly random?: () => number;
  readonly clock?: Clock;
  /** How often the caches are compared with the API. */
  readonly audit?: AuditPace;
}

/** The caches of a process: one watch per kind and selector, whoever asks. Disposing of them ends the watches. */
export function createCaches(client: Client, options: CachesOptions = {}): Caches {
  const { logger = silentLogger, metrics = createMetrics(), random = Math.random } = options;
  const { audit = defaultAuditPace, clock = systemClock } = options;
  const figures = cacheMetrics(metrics);
  const started = new Map<string, Started>();
  const stop = new AbortController();

  function start<T extends ApiObject>(
    kind: Kind<T>,
    { transform, retain, view, ...selector }: CacheOptions<T>,
  ): Started<T> {
    const label = { kind: kind.kind };
    const onHandlerError = (error: unknown) => logger.error('a change handler threw', { ...label, error });
    const keep = (object: T): T => {
      const kept = withoutManagedFields(object);
      return transform === undefined ? kept : transform(kept);
    };
    const cache = createObjectCache(kind, { keep, retain, onHandlerError });
    const counting = cache.subscribe(() => figures.objects.set(cache.size, label));
    const relist = new RelistRequest();
    const onGap = (): void => {
      figures.gaps.inc(label);
      relist.ask();
    };
    const { signal } = stop;
    const auditing = auditCache({ client, kind, selector, cache, pace: audit, onGap, signal, logger, random, clock });
    const watching = runListWatch({
      client,
      kind,
      selector,
      sink: cache,
      keep,
      signal,
      relist,
      logger,
      onList: () => figures.lists.inc(label),
      onFailure: () => figures.failures.inc(label),
      random,
      clock,
    }).finally(() => counting[Symbol.dispose]());
    const isWhole = view === undefined && !selector.namespace && !selector.labelSelector && !selector.fieldSelector;
    const loop = Promise.all([watching, auditing]).then(() => undefined);
    return { cache, loop, isWhole };
  }

  function through(writer: Client): Client {
    return writeThrough(writer, <T extends ApiObject>(kind: Kind<T>) => {
      const found = started.get(cacheKey(kind, {}));
      return found?.isWhole ? (found.cache as unknown as ObjectCache<T>) : undefined;
    });
  }

  return {
    of<T extends ApiObject>(kind: Kind<T>, options: CacheOptions<T> = {}): Cache<T> {
      const key = cacheKey(kind, options);
      const existing = started.get(key);
      // The key holds group and kind, so the cache under it is of this type.
      if (existing !== undefined) return existing.cache as unknown as Cache<T>;
      const fresh = start(kind, options);
      started.set(key, fresh as unknown as Started);
      return fresh.cache;
    },
    synced: async () => {
      await Promise.all([...started.values()].map(({ cache }) => cache.synced));
    },
    through,
    client: through(client),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([...started.values()].map(({ loop }) => loop));
    },
  };
}

interface Started<T = ApiObject> {
  readonly cache: ObjectCache<T>;
  readonly loop: Promise<void>;
  /** Without selectors: holds every object of its kind. */
  readonly isWhole: boolean;
}

function withoutManagedFields<T extends ApiObject>(object: T): T {
  const { managedFields, ...metadata } = object.metadata;
  return managedFields === undefined ? object : { ...object, metadata };
}

function cacheKey<T>(kind: Kind<T>, options: CacheOptions<T>): string {
  const { namespace = '', labelSelector = '', fieldSelector = '', view = '' } = options;
  return JSON.stringify([kind.apiVersion, kind.kind, namespace, labelSelector, fieldSelector, view]);
}

function cacheMetrics(metrics: Metrics) {
  const labels = ['kind'];
  return {
    objects: metrics.gauge({ name: 'fairlead_cache_objects', help: 'Objects in the list-watch caches.', labels }),
    lists: metrics.counter({ name: 'fairlead_cache_lists_total', help: 'Full lists taken.', labels }),
    gaps: metrics.counter({
      name: 'fairlead_client_watch_gaps_total',
      help: 'Comparisons with the API that found what a watch had lost without an error; each was healed by a list.',
      labels,
    }),
    failures: metrics.counter({
      name: 'fairlead_cache_failures_total',
      help: 'Lists and watches that failed.',
      labels,
    }),
  };
}
