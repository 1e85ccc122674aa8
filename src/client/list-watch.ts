import { ApiError, isGone } from '../api/errors.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import type { Logger } from '../observe/log.ts';
import { backOffMs, sleep } from './back-off.ts';
import type { Client, ListOptions, WatchEvent } from './client.ts';

/** Where the objects go. */
export interface ListWatchSink<T> {
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
  readonly logger: Logger;
  /** Told of every full list and every failure, for metrics. */
  readonly onList?: () => void;
  readonly onFailure?: () => void;
  readonly random: () => number;
  /** Unix milliseconds: tells a watch that ended at once from one that served its time. */
  readonly now: () => number;
}

/** Where a kind's replication stands; changed in place by the loop. */
interface Progress {
  /** The newest revision seen; undefined when a full list is due. */
  revision: string | undefined;
  /** Streaming lists are on until the server refuses one. */
  streaming: boolean;
  failures: number;
}

const pageSize = 500;
const retry = { baseMs: 50, maxMs: 30_000 };
/** A watch that ends this soon without an event counts as a failure, as in client-go. */
const shortWatchMs = 1000;

/**
 * Keeps `sink` equal to the server's objects until the signal aborts: a streaming list (KEP-3157) or, where the server
 * refuses it, a list in pages; then a watch, resumed from the last revision. A revision that is gone (410) makes a new
 * list. Failures wait with exponential back-off; the sink keeps what it had.
 */
export async function runListWatch<T extends ApiObject>(config: ListWatchConfig<T>): Promise<void> {
  const progress: Progress = { revision: undefined, streaming: true, failures: 0 };
  while (!config.signal.aborted) {
    try {
      await oneRound(config, progress);
    } catch (error) {
      await recover(config, progress, error);
    }
  }
}

async function oneRound<T extends ApiObject>(config: ListWatchConfig<T>, progress: Progress): Promise<void> {
  if (progress.revision === undefined && !progress.streaming) await listPages(config, progress);
  const startedMs = config.now();
  const count = await watchOnce(config, progress);
  if (count === 0 && !config.signal.aborted && config.now() - startedMs < shortWatchMs) {
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
  await sleep(waitMs, signal);
}

/** 400 and 422: the server knows the parameter and does not want it. */
function refusesStreaming(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 400 || error.code === 422);
}

async function listPages<T extends ApiObject>(config: ListWatchConfig<T>, progress: Progress): Promise<void> {
  const { client, kind, selector, signal } = config;
  const items: T[] = [];
  let page = await client.list(kind, { ...selector, limit: pageSize, signal });
  for (const item of page.items) items.push(config.keep(item));
  while (page.metadata.continue) {
    page = await client.list(kind, { ...selector, limit: pageSize, continue: page.metadata.continue, signal });
    for (const item of page.items) items.push(config.keep(item));
  }
  replaceAll(config, progress, items, page.metadata.resourceVersion);
}

function replaceAll<T extends ApiObject>(
  config: ListWatchConfig<T>,
  progress: Progress,
  items: readonly T[],
  revision: string,
): void {
  config.sink.replace(items, revision);
  config.onList?.();
  progress.revision = revision;
  progress.failures = 0;
}

/** One watch until it ends; returns how many events came. */
async function watchOnce<T extends ApiObject>(config: ListWatchConfig<T>, progress: Progress): Promise<number> {
  const { client, kind, selector, signal } = config;
  const resume = progress.revision === undefined ? { sendInitialEvents: true } : { resourceVersion: progress.revision };
  // A random end between 5 and 10 minutes spreads the watches of many clients.
  const timeoutSeconds = Math.round(300 + 300 * config.random());
  let initial: T[] | undefined = progress.revision === undefined ? [] : undefined;
  let count = 0;
  for await (const batch of client.watchBatches(kind, { ...selector, ...resume, timeoutSeconds, signal })) {
    count += batch.length;
    if (initial === undefined) follow(config, progress, batch);
    else initial = collect(config, progress, initial, batch);
  }
  return count;
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

/** Gathers a streaming list; undefined once its end has come and the sink is replaced. */
function collect<T extends ApiObject>(
  config: ListWatchConfig<T>,
  progress: Progress,
  initial: T[],
  batch: readonly WatchEvent<T>[],
): T[] | undefined {
  const end = batch.findIndex(isInitialEnd);
  const listed = end < 0 ? batch : batch.slice(0, end);
  for (const { object } of listed) initial.push(config.keep(object));
  const marker = batch[end];
  if (marker === undefined) return initial;
  replaceAll(config, progress, initial, marker.object.metadata.resourceVersion ?? '0');
  const rest = batch.slice(end + 1);
  if (rest.length > 0) follow(config, progress, rest);
  return undefined;
}

function isInitialEnd({ type, object }: WatchEvent<ApiObject>): boolean {
  return type === 'BOOKMARK' && object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true';
}
