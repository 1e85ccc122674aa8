import { decodeBody } from '../../api/decode.ts';
import { Eviction } from '../../api/policy/eviction.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Reply } from '../http/reply.ts';
import { objectReply } from '../http/reply.ts';
import type { Server } from '../server.ts';
import { deleteStored } from '../write/delete-object.ts';
import { parseWriteOptions } from '../write/options.ts';

/** POST to `pods/<name>/eviction`: a delete that a disruption budget could refuse; there are none yet. */
export async function evict(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const { info, request } = exchange;
  const options = parseWriteOptions(request, 'CreateOptions');
  const { value, warnings } = decodeBody(
    Eviction,
    await request.readBody(),
    request.headers['content-type'],
    options.fieldValidation,
  );
  exchange.warnings.push(...warnings);
  const dryRun = options.dryRun ? ['All'] : (value.deleteOptions?.dryRun ?? []);
  await server.cache.fresh();
  await deleteStored(exchange, server, info.name ?? '', { ...value.deleteOptions, dryRun });
  return objectReply(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
}
