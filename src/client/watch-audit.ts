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

/** An object in which the cache differs from the API: its revision there, undefined when it is not there. */
type Differences = ReadonlyMap<string, { readonly listed?: number; readonly cached?: number }>;

const pageSize = 500;

/**
 * Looks from time to time whether the cache has what the API has, until the signal aborts: a watch that loses an event
 * looks like one on which nothing happens. Most looks are a list of one object, which tells how many there are; some
 * compare the revisions of all, of their metadata alone. What differs must be in the cache a while later, else it was lost.
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
  if (!isThorough && (await countObjects(config)) === cache.size) return false;
  const differences = await compare(config);
  if (differences.size === 0) return false;
  await wait(clock, pace.settleMs, signal);
  const lost = [...differences].filter(([key, difference]) => isStillMissing(cache, key, difference));
  if (lost.length === 0 || signal.aborted) return false;
  const [first] = lost;
  logger.warn('the watch lost changes: listing again', { kind: kind.kind, objects: lost.length, first: first?.[0] });
  return true;
}

/** How many objects the API has; undefined when it does not tell (with selectors). */
async function countObjects<T extends ApiObject>({ client, kind, selector, signal }: AuditConfig<T>) {
  const { items, metadata } = await client.list(kind, { ...selector, limit: 1, metadataOnly: true, signal });
  if (!metadata.continue) return items.length;
  return metadata.remainingItemCount === undefined ? undefined : items.length + metadata.remainingItemCount;
}

async function compare<T extends ApiObject>(config: AuditConfig<T>): Promise<Differences> {
  const { cache } = config;
  const { listed, revision } = await listRevisions(config);
  const differences = new Map<string, { listed?: number; cached?: number }>();
  for (const [key, there] of listed) {
    const cached = revisionIn(cache, key);
    if (cached === undefined || cached < there) differences.set(key, { listed: there, cached });
  }
  for (const object of cache.list()) {
    const key = keyOf(object);
    const cached = revisionOf(object);
    // What is younger than the list has come since.
    if (!listed.has(key) && cached <= revision) differences.set(key, { cached });
  }
  return differences;
}

/** The revisions of all objects, as of one revision. */
async function listRevisions<T extends ApiObject>({ client, kind, selector, signal }: AuditConfig<T>) {
  const listed = new Map<string, number>();
  let token: string | undefined;
  let revision = 0;
  do {
    const options = { ...selector, limit: pageSize, continue: token, metadataOnly: true, signal };
    const { items, metadata } = await client.list(kind, options);
    for (const item of items) listed.set(keyOf(item), revisionOf(item));
    revision = Number(metadata.resourceVersion);
    token = metadata.continue;
  } while (token);
  return { listed, revision };
}

function isStillMissing<T extends ApiObject>(
  cache: Cache<T>,
  key: string,
  { listed, cached }: { readonly listed?: number; readonly cached?: number },
): boolean {
  const now = revisionIn(cache, key);
  return listed === undefined ? now === cached : now === undefined ? cached === undefined : now < listed;
}

function revisionIn<T extends ApiObject>(cache: Cache<T>, key: string): number | undefined {
  const slash = key.indexOf('/');
  const object = cache.get(key.slice(slash + 1), key.slice(0, slash));
  return object && revisionOf(object);
}
