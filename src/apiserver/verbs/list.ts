import { badRequest, expired, tooLargeResourceVersion } from '../../api/errors.ts';
import { CompactedError, FutureRevisionError } from '../../store/store.ts';
import type { ContinueToken } from '../cache/continue-token.ts';
import { decodeContinue, encodeContinue } from '../cache/continue-token.ts';
import type { ListMeta } from '../cache/form.ts';
import { Item } from '../cache/item.ts';
import type { Selection } from '../cache/selection.ts';
import { hasSelectors, matcherOf, parseSelection, selectedName } from '../cache/selection.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Reply } from '../http/reply.ts';
import { jsonReply } from '../http/reply.ts';
import type { ListOptions } from '../list-options.ts';
import { parseListOptions } from '../list-options.ts';
import type { Server } from '../server.ts';
import { cacheOf, keyOf, storedName } from '../server.ts';
import { waitFor } from './get.ts';

/** Candidates at one revision, in key order. `exhausted` is false when only some were read and more may follow. */
interface Snapshot {
  readonly items: readonly Item[];
  readonly revision: number;
  /** How many follow behind `items`. */
  readonly behind: number;
}

interface Page {
  readonly items: readonly Item[];
  readonly meta: ListMeta;
}

/** Entries read from the store at a time when a page of the past is filtered. */
const batchSize = 500;

/** GET of a collection. */
export async function list(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const { info, kind, form, request } = exchange;
  const options = parseListOptions(request.query);
  const selection = parseSelection(kind, info.namespace, info.name, request.query);
  const page = await readPage(exchange, server, options, selection);
  return jsonReply(200, form.list(page.items, page.meta), form.mediaType);
}

/** Everything a selection matches right now, newest state. */
export async function selectItems(
  exchange: ResourceExchange,
  server: Server,
  selection: Selection,
): Promise<readonly Item[]> {
  await server.cache.fresh();
  return current(exchange, server, selection, '').items.filter(matcherOf(selection));
}

async function readPage(
  exchange: ResourceExchange,
  server: Server,
  options: ListOptions,
  selection: Selection,
): Promise<Page> {
  const { continueToken, revision, limit } = options;
  if (continueToken !== undefined) {
    if (revision !== undefined && revision !== 0)
      throw badRequest('specifying resource version is not allowed when using continue');
    return continued(exchange, server, limit, selection, decodeContinue(continueToken));
  }
  const isExact = options.match === 'Exact' || (options.match === undefined && limit > 0 && (revision ?? 0) > 0);
  await waitFor(server, revision);
  if (isExact && revision !== undefined && revision !== server.cache.revision) {
    return pastPage(exchange, server, limit, selection, { revision, after: '' });
  }
  const snapshot = current(exchange, server, selection, '');
  return cut(exchange, snapshot, revision === 0 ? 0 : limit, selection);
}

async function continued(
  exchange: ResourceExchange,
  server: Server,
  limit: number,
  selection: Selection,
  token: ContinueToken,
): Promise<Page> {
  if (token.revision > 0) return pastPage(exchange, server, limit, selection, token);
  await server.cache.fresh();
  return cut(exchange, current(exchange, server, selection, token.after), limit, selection);
}

/** The present, out of memory. */
function current(exchange: ResourceExchange, server: Server, selection: Selection, after: string): Snapshot {
  const { kind } = exchange;
  const cache = cacheOf(server, kind);
  const revision = server.cache.revision;
  const name = selectedName(selection);
  if (name !== undefined && after === '' && (selection.namespace !== undefined || !kind.namespaced)) {
    const item = cache.items.get(keyOf(kind, selection.namespace, name));
    return { items: item === undefined ? [] : [item], revision, behind: 0 };
  }
  const items = cache.items.range(scopeOf(exchange, selection), after === '' ? '' : `${cache.prefix}${after}`);
  return { items, revision, behind: 0 };
}

/** A page of the past, out of the store. An expired revision is answered with a token for an inconsistent rest. */
async function pastPage(
  exchange: ResourceExchange,
  server: Server,
  limit: number,
  selection: Selection,
  token: ContinueToken,
): Promise<Page> {
  try {
    const snapshot = await past(exchange, server, limit, selection, token);
    return cut(exchange, snapshot, limit, selection);
  } catch (error) {
    if (error instanceof FutureRevisionError) throw tooLargeResourceVersion(error.requested, error.current);
    if (!(error instanceof CompactedError)) throw error;
    if (token.after === '') throw expired('The resourceVersion for the provided list is too old.');
    const rest = encodeContinue({ revision: -1, after: token.after });
    throw expired(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
      rest,
    );
  }
}

async function past(
  exchange: ResourceExchange,
  server: Server,
  limit: number,
  selection: Selection,
  token: ContinueToken,
): Promise<Snapshot> {
  const root = `/registry/${storedName(exchange.kind)}/`;
  const matches = matcherOf(selection);
  const items: Item[] = [];
  let after = token.after === '' ? undefined : `${root}${token.after}`;
  for (;;) {
    const size = limit === 0 ? undefined : hasSelectors(selection) ? batchSize : limit + 1;
    const found = await server.store.list(scopeOf(exchange, selection), { at: token.revision, limit: size, after });
    items.push(...found.entries.map((entry) => Item.of(entry)).filter(matches));
    after = found.entries.at(-1)?.key;
    if (found.remaining === 0 || (limit > 0 && items.length > limit)) {
      return { items, revision: token.revision, behind: found.remaining };
    }
  }
}

/** The first `limit` matches of a snapshot (0: all of them), and what a client needs to go on. */
function cut(exchange: ResourceExchange, snapshot: Snapshot, limit: number, selection: Selection): Page {
  const matches = matcherOf(selection);
  const wanted = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  const items: Item[] = [];
  let hasMore = false;
  for (const item of snapshot.items) {
    if (!matches(item)) continue;
    hasMore = items.length >= wanted;
    if (hasMore) break;
    items.push(item);
  }
  const resourceVersion = `${snapshot.revision}`;
  const last = items.at(-1);
  if (!hasMore || last === undefined) return { items, meta: { resourceVersion } };
  const root = `/registry/${storedName(exchange.kind)}/`;
  const token = encodeContinue({ revision: snapshot.revision, after: last.key.slice(root.length) });
  const remaining = snapshot.items.length - items.length + snapshot.behind;
  const count = hasSelectors(selection) ? {} : { remainingItemCount: remaining };
  return { items, meta: { resourceVersion, continue: token, ...count } };
}

function scopeOf(exchange: ResourceExchange, selection: Selection): string {
  const root = `/registry/${storedName(exchange.kind)}/`;
  return selection.namespace === undefined ? root : `${root}${selection.namespace}/`;
}
