import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import { wait } from '../observe/clock.ts';
import type { Clock } from '../observe/clock.ts';
import type { Logger } from '../observe/log.ts';
import type { Cache } from './caches.ts';
import type { Client, ListOptions } from './client.ts';
import { keyOf, revisionOf } from './object-cache.ts';

/** How often a cache is compared with the API. */
export interface AuditPace {
  /** Milliseconds between two looks, on average. */
  readonly everyMs: number;
  /** Milliseconds in which the watch must have brought what the API has. */
  readonly settleMs: number;
  /** Every so many looks compare each object; the others only how many there are. */
  readonly thoroughEvery: number;
}

export const defaultAuditPace: AuditPace = { everyMs: 600_000, settleMs: 10_000, thoroughEvery: 6 };

export interface AuditConfig<T extends ApiObject> {
  readonly client: Client;
  readonly kind: Kind<T>;
  readonly selector: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;
  readonly cache: Cache<T>;
  readonly pace: AuditPace;
  /** Called when the cache misses something that the watch should have brought. */
  readonly onGap: () => void;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly clock: Clock;
}

/** Where the cache differs from the API: the revisions of an object there and here, undefined where it is not. */
type Differences = ReadonlyMap<string, { readonly listed: number | undefined; readonly cached: number | undefined }>;

const pageSize = 500;

/**
 * Looks from time to time whether the cache has what the API has, until the signal aborts: a watch that loses an event
 * looks like one on which nothing happens. Most looks are a list of one object, which tells how many there are; some
 * compare the revisions of all, of their metadata alone. What differs in two looks in the same way was lost.
 *
 * A list is consistent: it shows everything that was stored when it began, and so all that the cache had by then. An older
 * revision there than here means that the API's store went back in time (restored from a copy).
 */
export async function auditCache<T extends ApiObject>(config: AuditConfig<T>): Promise<void> {
  const { pace, signal, random, logger, cache, kind, clock } = config;
  for (let look = 1; ; look += 1) {
    await wait(clock, pace.everyMs * (0.5 + random()), signal);
    if (signal.aborted) return;
    if (!cache.isSynced) continue;
    try {
      if (await hasGap(config, look % pace.thoroughEvery === 0)) config.onGap();
    } catch (error) {
      // The watch has the same trouble, and does something about it.
      logger.debug('a cache could not be compared with the API', { kind: kind.kind, error });
    }
  }
}

async function hasGap<T extends ApiObject>(config: AuditConfig<T>, isThorough: boolean): Promise<boolean> {
  const { cache, pace, signal, logger, kind, clock } = config;
  if (!isThorough && (await seemsWhole(config))) return false;
  const differences = await compare(config);
  if (differences.size === 0) return false;
  await wait(clock, pace.settleMs, signal);
  const isSettled = [...differences].every(([key, { cached }]) => revisionIn(cache, key) !== cached);
  if (isSettled || signal.aborted) return false;
  const lost = [...(await compare(config))].filter(([key, { listed, cached }]) => {
    const before = differences.get(key);
    return before !== undefined && before.listed === listed && before.cached === cached;
  });
  if (lost.length === 0) return false;
  logger.warn('the watch lost changes: listing again', { kind: kind.kind, objects: lost.length, first: lost[0]?.[0] });
  return true;
}

/** Whether the API has as many objects, and is at no older revision; false when it does not tell (with selectors). */
async function seemsWhole<T extends ApiObject>({ client, kind, selector, cache, signal }: AuditConfig<T>) {
  const newest = cache.list().reduce((most, object) => Math.max(most, revisionOf(object)), 0);
  const { items, metadata } = await client.list(kind, { ...selector, limit: 1, metadataOnly: true, signal });
  const more = metadata.continue ? metadata.remainingItemCount : 0;
  return more !== undefined && items.length + more === cache.size && Number(metadata.resourceVersion) >= newest;
}

async function compare<T extends ApiObject>(config: AuditConfig<T>): Promise<Differences> {
  const { cache } = config;
  const before = new Map(cache.list().map((object) => [keyOf(object), revisionOf(object)]));
  const listed = await listRevisions(config);
  const differences = new Map<string, { listed: number | undefined; cached: number | undefined }>();
  for (const [key, cached] of before) {
    const there = listed.get(key);
    // What has changed here since the list began is not stuck.
    if (there !== cached && revisionIn(cache, key) === cached) differences.set(key, { listed: there, cached });
  }
  for (const [key, there] of listed) {
    if (!before.has(key) && revisionIn(cache, key) === undefined)
      differences.set(key, { listed: there, cached: undefined });
  }
  return differences;
}

/** The revisions of all objects, as of one revision of the store. */
async function listRevisions<T extends ApiObject>({ client, kind, selector, signal }: AuditConfig<T>) {
  const listed = new Map<string, number>();
  let token: string | undefined;
  do {
    const options = { ...selector, limit: pageSize, continue: token, metadataOnly: true, signal };
    const { items, metadata } = await client.list(kind, options);
    for (const item of items) listed.set(keyOf(item), revisionOf(item));
    token = metadata.continue;
  } while (token);
  return listed;
}

function revisionIn<T extends ApiObject>(cache: Cache<T>, key: string): number | undefined {
  const slash = key.indexOf('/');
  const object = cache.get(key.slice(slash + 1), key.slice(0, slash));
  return object && revisionOf(object);
}
