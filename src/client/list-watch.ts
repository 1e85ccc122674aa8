import { setImmediate as nextTurn } from 'node:timers/promises';
import { ApiError, isGone } from '../api/errors.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import { wait } from '../observe/clock.ts';
import type { Clock } from '../observe/clock.ts';
import type { Logger } from '../observe/log.ts';
import { backOffMs } from './back-off.ts';
import type { Client, ListOptions, WatchEvent } from './client.ts';
import { keyOf } from './object-cache.ts';
import type { RelistRequest } from './relist-request.ts';

/** Where the objects go. */
export interface ListWatchSink<T> {
  /** Objects of the first list, while it comes in: what is read is used at once, so the list is never held whole. */
  add(items: readonly T[]): void;
  /** The first list is in: other objects than those of `keys` (`namespace/name`) are gone. */
  listed(keys: ReadonlySet<string>, resourceVersion: string): void;
  /** The object as it is there, when it is there at the same revision: a list that comes again is not held twice. */
  known(object: T): T | undefined;
  /** A later list, whole: only the difference counts. */
  replace(items: readonly T[], resourceVersion: string): void;
  apply(events: readonly WatchEvent<T>[]): void;
}

export interface ListWatchConfig<T extends ApiObject> {
  readonly client: Client;
  readonly kind: Kind<T>;
  readonly selector: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;
  readonly sink: ListWatchSink<T>;
  /** What is kept of an object: applied as it arrives, so that a long list is never in memory whole. */
  readonly keep: (object: T) => T;
  readonly signal: AbortSignal;
  readonly relist: RelistRequest;
  readonly logger: Logger;
  /** Told of every full list and every failure, for metrics. */
  readonly onList?: () => void;
  readonly onFailure?: () => void;
  readonly random: () => number;
  readonly clock: Clock;
}

/** Where a kind's replication stands; changed in place by the loop. */
interface Progress {
  /** The newest revision seen; undefined when a full list is due. */
  revision: string | undefined;
  /** A full list has come in. */
  hasListed: boolean;
  /** Streaming lists are on until the server refuses one. */
  streaming: boolean;
  /** Lists come in pages until one of them came too late. */
  paged: boolean;
  failures: number;
}

const pageSize = 500;
/** A streaming list that pauses for this long without an end has none. */
const initialPatienceMs = 10_000;
const retry = { baseMs: 50, maxMs: 30_000 };
/** Events are taken in for this long at most before others have the event loop: questions, packets, timers. */
const turnMs = 1;
/** A watch that ends this soon without an event counts as a failure, as in client-go. */
const shortWatchMs = 1000;

/**
 * Keeps `sink` equal to the server's objects until the signal aborts: a streaming list (KEP-3157) or, where the server
 * refuses it, a list in pages; then a watch, resumed from the last revision. A revision that is gone (410) makes a new
 * list. Failures wait with exponential back-off; the sink keeps what it had.
 */
export async function runListWatch<T extends ApiObject>(config: ListWatchConfig<T>): Promise<void> {
  const progress: Progress = {
    revision: undefined,
    hasListed: false,
    streaming: true,
    paged: true,
    failures: 0,
  };
  while (!config.signal.aborted) {
    try {
      await oneRound(config, progress);
    } catch (error) {
      await recover(config, progress, error);
    }
  }
}

async function oneRound<T extends ApiObject>(config: ListWatchConfig<T>, progress: Progress): Promise<void> {
  if (config.relist.take()) progress.revision = undefined;
  if (progress.revision === undefined && !progress.streaming) await listPages(config, progress);
  const startedMs = config.clock.now();
  const count = await watchOnce(config, progress);
  const isMeant = config.signal.aborted || config.relist.signal.aborted;
  if (count === 0 && !isMeant && config.clock.now() - startedMs < shortWatchMs) {
    throw new Error('the watch ended at once without an event');
  }
}

async function recover<T extends ApiObject>(config: ListWatchConfig<T>, progress: Progress, error: unknown) {
  const { signal, logger, kind } = config;
  if (signal.aborted) return;
  if (isGone(error)) {
    logger.debug('history is gone, listing again', { kind: kind.kind });
    progress.revision = undefined;
    if (progress.failures++ === 0) return;
  } else if (progress.streaming && progress.revision === undefined && refusesStreaming(error)) {
    progress.streaming = false;
    return;
  } else {
    progress.failures += 1;
    // A revision that the server says it has not reached, twice: its store was made anew.
    if (error instanceof ApiError && error.code === 504 && progress.failures > 1) progress.revision = undefined;
  }
  config.onFailure?.();
  const waitMs = backOffMs(progress.failures, retry, config.random());
  const level = progress.failures === 3 ? 'warn' : 'debug';
  logger[level]('watch failed, keeping the last known state', { kind: kind.kind, waitMs: Math.round(waitMs), error });
  await wait(config.clock, waitMs, signal, 'holds');
}

/** The server knows the parameter and does not want it (400, 422), or has no streams (415), or says nothing at all. */
function refusesStreaming(error: unknown): boolean {
  if (error instanceof NoInitialEnd) return true;
  return error instanceof ApiError && [400, 415, 422].includes(error.code);
}

async function listPages<T extends ApiObject>(config: ListWatchConfig<T>, progress: Progress): Promise<void> {
  const { client, kind, selector, signal } = config;
  const limit = progress.paged ? pageSize : undefined;
  const listing = openListing(config, progress);
  let page = await client.list(kind, { ...selector, limit, signal });
  listing.add(page.items);
  while (page.metadata.continue) {
    page = await nextPage(config, progress, page.metadata.continue);
    listing.add(page.items);
  }
  listing.end(page.metadata.resourceVersion);
}

/** A token that came too late would do so again: the next list comes in one piece. */
async function nextPage<T extends ApiObject>(
  { client, kind, selector, signal }: ListWatchConfig<T>,
  progress: Progress,
  token: string,
) {
  try {
    return await client.list(kind, { ...selector, limit: pageSize, continue: token, signal });
  } catch (error) {
    if (isGone(error)) progress.paged = false;
    throw error;
  }
}

/** Takes the objects of a full list as they come. */
interface Listing<T> {
  add(items: readonly T[]): void;
  end(revision: string): void;
}

function openListing<T extends ApiObject>(config: ListWatchConfig<T>, progress: Progress): Listing<T> {
  const { sink, keep } = config;
  const finish = (revision: string): void => {
    config.onList?.();
    progress.revision = revision;
    progress.hasListed = true;
    progress.failures = 0;
  };
  if (progress.hasListed) {
    const all: T[] = [];
    return {
      add(items) {
        for (const item of items) all.push(sink.known(item) ?? keep(item));
      },
      end(revision) {
        sink.replace(all, revision);
        finish(revision);
      },
    };
  }
  const keys = new Set<string>();
  return {
    add(items) {
      for (const item of items) keys.add(keyOf(item));
      sink.add(items.map(keep));
    },
    end(revision) {
      sink.listed(keys, revision);
      finish(revision);
    },
  };
}

/** One watch until it ends; returns how many events came. */
async function watchOnce<T extends ApiObject>(config: ListWatchConfig<T>, progress: Progress): Promise<number> {
  const { client, kind, selector } = config;
  const signal = AbortSignal.any([config.signal, config.relist.signal]);
  const resume = progress.revision === undefined ? { sendInitialEvents: true } : { resourceVersion: progress.revision };
  // A random end between 5 and 10 minutes spreads the watches of many clients.
  const timeoutSeconds = Math.round(300 + 300 * config.random());
  let listing = progress.revision === undefined ? openListing(config, progress) : undefined;
  let count = 0;
  const patience = listing && startPatience(signal, config.clock);
  try {
    const until = patience?.signal ?? signal;
    for await (const batch of client.watchBatches(kind, { ...selector, ...resume, timeoutSeconds, signal: until })) {
      const startMs = performance.now();
      count += batch.length;
      if (listing === undefined) follow(config, progress, batch);
      else if (isListed(config, progress, listing, batch)) listing = undefined;
      if (listing === undefined) patience?.stop();
      else patience?.extend();
      // What is behind it would else be read and taken in without a pause, megabytes of it.
      if (performance.now() - startMs > turnMs) await nextTurn();
    }
    if (patience?.hasEnded) throw new NoInitialEnd('the server sent objects, but not the end of their list');
  } finally {
    patience?.stop();
  }
  return count;
}

/** Servers that do not know streaming lists send the objects and then wait for changes, as for any watch from the start. */
class NoInitialEnd extends Error {}

/** Ends the stream when nothing has come for a while and the list has no end. */
function startPatience(signal: AbortSignal, clock: Clock) {
  const impatience = new AbortController();
  const start = (): Disposable => clock.after(initialPatienceMs, () => impatience.abort(), 'holds');
  let timer = start();
  const stop = (): void => timer[Symbol.dispose]();
  return {
    signal: AbortSignal.any([signal, impatience.signal]),
    get hasEnded() {
      return impatience.signal.aborted;
    },
    extend() {
      stop();
      timer = start();
    },
    stop,
  };
}

function follow<T extends ApiObject>(
  config: ListWatchConfig<T>,
  progress: Progress,
  batch: readonly WatchEvent<T>[],
): void {
  config.sink.apply(
    batch.map((event) => (event.type === 'BOOKMARK' ? event : { ...event, object: config.keep(event.object) })),
  );
  progress.revision = batch.at(-1)?.object.metadata.resourceVersion ?? progress.revision;
  progress.failures = 0;
}

/** Takes a part of a streaming list; true once its end has come. */
function isListed<T extends ApiObject>(
  config: ListWatchConfig<T>,
  progress: Progress,
  listing: Listing<T>,
  batch: readonly WatchEvent<T>[],
): boolean {
  const end = batch.findIndex(isInitialEnd);
  listing.add((end < 0 ? batch : batch.slice(0, end)).map(({ object }) => object));
  const marker = batch[end];
  if (marker === undefined) return false;
  listing.end(marker.object.metadata.resourceVersion ?? '0');
  const rest = batch.slice(end + 1);
  if (rest.length > 0) follow(config, progress, rest);
  return true;
}

function isInitialEnd({ type, object }: WatchEvent<ApiObject>): boolean {
  return type === 'BOOKMARK' && object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true';
}
