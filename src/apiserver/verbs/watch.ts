import { expired } from '../../api/errors.ts';
import { CompactedError } from '../../store/store.ts';
import type { WatchStart } from '../cache/watcher.ts';
import { Watcher } from '../cache/watcher.ts';
import { hasSelectors, matcherOf, parseSelection } from '../cache/selection.ts';
import type { Selection } from '../cache/selection.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Reply, Sink } from '../http/reply.ts';
import { streamReply } from '../http/reply.ts';
import type { ListOptions } from '../list-options.ts';
import { parseListOptions } from '../list-options.ts';
import type { Server } from '../server.ts';
import { cacheOf, storedName } from '../server.ts';
import { waitFor } from './get.ts';

const minTimeoutMs = 30 * 60_000;

/** GET of a collection with `watch=true`: a stream that lasts until the client leaves or its time is up. */
export async function watch(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const { info, kind, form, request } = exchange;
  const options = parseListOptions(request.query);
  const selection = parseSelection(kind, info.namespace, info.name, request.query);
  if (isFromState(options)) await waitFor(server, options.revision);
  const mediaType = form.mediaType === 'application/json' ? 'application/json' : `${form.mediaType};stream=watch`;
  return streamReply(mediaType, { start: (sink) => open(exchange, server, options, selection, sink) });
}

/** Does the stream begin with the present state (or at the present), rather than at a revision? */
function isFromState(options: ListOptions): boolean {
  return options.sendInitialEvents === true || (options.revision ?? 0) === 0;
}

function open(
  exchange: ResourceExchange,
  server: Server,
  options: ListOptions,
  selection: Selection,
  sink: Sink,
): () => void {
  const cache = cacheOf(server, exchange.kind);
  const matches = matcherOf(selection);
  const labels = { resource: storedName(exchange.kind) };
  const watcher = new Watcher({
    sink,
    form: exchange.form,
    matches: selection.namespace === undefined && !hasSelectors(selection) ? () => true : matches,
    sendBookmarks: options.bookmarks,
    timeoutMs: options.timeoutMs || minTimeoutMs + Math.random() * minTimeoutMs,
    revision: () => server.cache.revision,
    onEnd: (reason) => {
      unsubscribe();
      server.streams.delete(watcher);
      server.metrics.watchers.add(-1, labels);
      if (reason === 'slow') server.metrics.slowWatchers.inc(labels);
    },
  });
  const unsubscribe = cache.subscribe((change) => watcher.deliver(change));
  server.streams.add(watcher);
  server.metrics.watchers.add(1, labels);
  begin(exchange, server, options, selection, watcher).catch((error: unknown) => fail(server, watcher, error));
  return () => watcher.end('closed');
}

async function begin(
  exchange: ResourceExchange,
  server: Server,
  options: ListOptions,
  selection: Selection,
  watcher: Watcher,
): Promise<void> {
  if (!isFromState(options)) return watcher.begin(await resume(exchange, server, options.revision ?? 0));
  const cache = cacheOf(server, exchange.kind);
  const prefix = selection.namespace === undefined ? cache.prefix : `${cache.prefix}${selection.namespace}/`;
  const initial = options.sendInitialEvents === false ? [] : cache.items.range(prefix);
  const announceEnd = options.sendInitialEvents === true && options.bookmarks;
  return watcher.begin({ initial, changes: [], revision: server.cache.revision, announceEnd });
}

/**
 * What happened after `from`: out of memory when it is recent, out of the store's history when it is not. A revision that
 * does not come within the usual wait is of another history (the data folder was replaced): the client has to list again.
 */
async function resume(exchange: ResourceExchange, server: Server, from: number): Promise<WatchStart> {
  if (!(await server.cache.reached(from))) throw tooOld(from, server.cache.revision);
  const cache = cacheOf(server, exchange.kind);
  const revision = server.cache.revision;
  const recent = cache.since(from);
  if (recent !== undefined) return { initial: [], changes: recent, revision, announceEnd: false };
  const changes = await server.cache.history(cache.prefix, from, revision);
  return { initial: [], changes, revision, announceEnd: false };
}

function fail(server: Server, watcher: Watcher, error: unknown): void {
  if (error instanceof CompactedError) return watcher.fail(tooOld(error.requested, error.compacted + 1).status);
  if (error instanceof Error && 'status' in error) return watcher.fail(error.status);
  server.log.error('watch failed', { error });
  watcher.end('closed');
}

function tooOld(requested: number, oldest: number) {
  return expired(`too old resource version: ${requested} (${oldest})`);
}
