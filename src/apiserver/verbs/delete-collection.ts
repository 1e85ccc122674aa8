import { isNotFound } from '../../api/errors.ts';
import type { Item } from '../cache/item.ts';
import { parseSelection } from '../cache/selection.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Reply } from '../http/reply.ts';
import { jsonReply } from '../http/reply.ts';
import type { Server } from '../server.ts';
import type { DeleteOptions } from '../../api/meta/delete-options.ts';
import { deleteStored } from '../write/delete-object.ts';
import { readDeleteOptions } from './delete.ts';
import { selectItems } from './list.ts';

/** Deletes that run at once; their commits share one write to disk. */
const concurrency = 64;

/** DELETE of a collection: everything the selectors match, each as by its own delete. Answers with what was deleted. */
export async function deleteCollection(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const { kind, info, form, request } = exchange;
  const options = await readDeleteOptions(exchange);
  const selection = parseSelection(kind, info.namespace, undefined, request.query);
  const selected = await selectItems(exchange, server, selection);
  const deleted: Item[] = [];
  for (let at = 0; at < selected.length; at += concurrency) {
    const batch = selected.slice(at, at + concurrency).map((item) => deleteOne(exchange, server, item, options));
    deleted.push(...(await Promise.all(batch)).filter((item) => item !== undefined));
  }
  const body = form.list(deleted, { resourceVersion: `${server.cache.revision}` });
  return jsonReply(200, body, form.mediaType);
}

/** Undefined when somebody else was faster. */
async function deleteOne(
  exchange: ResourceExchange,
  server: Server,
  item: Item,
  options: DeleteOptions,
): Promise<Item | undefined> {
  const namespace = item.namespace === '' ? undefined : item.namespace;
  const one = { ...exchange, info: { ...exchange.info, namespace } };
  try {
    return (await deleteStored(one, server, item.name, options)).item;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
