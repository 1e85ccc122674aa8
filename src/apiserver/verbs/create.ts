import { decodeBody } from '../../api/decode.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Reply } from '../http/reply.ts';
import { jsonReply } from '../http/reply.ts';
import type { Server } from '../server.ts';
import { createObject } from '../write/create-object.ts';
import { parseWriteOptions } from '../write/options.ts';

/** POST to a collection. */
export async function create(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const { kind, form, request } = exchange;
  const options = parseWriteOptions(request, 'CreateOptions');
  const body = await request.readBody();
  const { value, warnings } = decodeBody(kind, body, request.headers['content-type'], options.fieldValidation);
  exchange.warnings.push(...warnings);
  await server.cache.fresh();
  const item = await createObject(exchange, server, value, options);
  return jsonReply(201, form.one(item), form.mediaType);
}
