import { notFound, tooLargeResourceVersion } from '../../api/errors.ts';
import type { Kind } from '../../api/schema.ts';
import type { Item } from '../cache/item.ts';
import type { ResourceExchange } from '../exchange.ts';
import { jsonReply } from '../http/reply.ts';
import type { Reply } from '../http/reply.ts';
import { parseRevision } from '../list-options.ts';
import type { Server } from '../server.ts';
import { cacheOf, keyOf } from '../server.ts';

/** GET of one object: the newest state, or with `resourceVersion` any state not older than that. */
export async function get(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const { info, kind, form, request } = exchange;
  await waitFor(server, parseRevision(request.query.get('resourceVersion')));
  const item = await readItem(server, kind, info.namespace, info.name ?? '');
  return jsonReply(200, form.one(item), form.mediaType);
}

/** The newest state of one object. Throws `ApiError` 404. The cache must be fresh enough for the caller. */
export function readItem(server: Server, kind: Kind, namespace: string | undefined, name: string): Item {
  const item = cacheOf(server, kind).items.get(keyOf(kind, namespace, name));
  if (item === undefined) throw notFound(kind, name);
  return item;
}

/** Waits until the cache is as new as a read needs. Throws `ApiError` 504 for a revision that does not come. */
export async function waitFor(server: Server, revision: number | undefined): Promise<void> {
  if (revision === undefined) return server.cache.fresh();
  if (!(await server.cache.reached(revision))) throw tooLargeResourceVersion(revision, server.cache.revision);
}
