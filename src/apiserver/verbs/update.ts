import { decodeBody } from '../../api/decode.ts';
import { badRequest } from '../../api/errors.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Reply } from '../http/reply.ts';
import { jsonReply } from '../http/reply.ts';
import type { Server } from '../server.ts';
import { cacheOf, keyOf } from '../server.ts';
import { createObject } from '../write/create-object.ts';
import { parseWriteOptions } from '../write/options.ts';
import { updateObject } from '../write/update-object.ts';

/** PUT of one object, or of one of its subresources that has the object's own form (`status`, `finalize`). */
export async function update(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const { kind, form, info, request } = exchange;
  const options = parseWriteOptions(request, 'UpdateOptions');
  const body = await request.readBody();
  const { value, warnings } = decodeBody(kind, body, request.headers['content-type'], options.fieldValidation);
  exchange.warnings.push(...warnings);
  const name = info.name ?? '';
  await server.cache.fresh();
  const isNew =
    kind.createOnUpdate &&
    info.subresource === undefined &&
    cacheOf(server, kind).items.get(keyOf(kind, info.namespace, name)) === undefined;
  if (isNew) {
    if (value.metadata.name !== name)
      throw badRequest(`the name of the object (${value.metadata.name}) does not match the name on the URL (${name})`);
    return jsonReply(201, form.one(await createObject(exchange, server, value, options)), form.mediaType);
  }
  const item = await updateObject(
    exchange,
    server,
    name,
    { next: () => value, subresource: info.subresource },
    options,
  );
  return jsonReply(200, form.one(item), form.mediaType);
}
