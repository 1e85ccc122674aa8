import { decodeOptions } from '../../api/decode.ts';
import { invalid } from '../../api/errors.ts';
import { DeleteOptions } from '../../api/meta/delete-options.ts';
import type { StatusCause } from '../../api/meta/status.ts';
import type { Kind } from '../../api/schema.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Reply } from '../http/reply.ts';
import { jsonReply, objectReply } from '../http/reply.ts';
import type { Server } from '../server.ts';
import type { Deleted } from '../write/delete-object.ts';
import { deleteStored } from '../write/delete-object.ts';
import { dryRunCauses } from '../write/options.ts';

/** Kinds whose delete answers with the object; others answer with a Status. As in Kubernetes. */
const returnsObject: ReadonlySet<string> = new Set(['Pod', 'Service', 'ServiceAccount', 'ReplicationController']);

/** DELETE of one object. */
export async function deleteObject(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const options = await readDeleteOptions(exchange);
  await server.cache.fresh();
  const deleted = await deleteStored(exchange, server, exchange.info.name ?? '', options);
  return deletedReply(exchange, deleted);
}

/** The answer to a delete. */
export function deletedReply(exchange: ResourceExchange, { item, isGone }: Deleted): Reply {
  const { kind, form } = exchange;
  if (!isGone || returnsObject.has(kind.kind)) return jsonReply(200, form.one(item), form.mediaType);
  return objectReply(200, deletedStatus(kind, item.name, item.object.metadata.uid));
}

/** `Status` of a delete that is done. */
export function deletedStatus(kind: Pick<Kind, 'group' | 'plural'>, name: string, uid: string | undefined): object {
  const group = kind.group === '' ? {} : { group: kind.group };
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...group, kind: kind.plural, uid },
  };
}

/** Options from the body or, when that is empty, from the query. Throws `ApiError` 400 and 422. */
export async function readDeleteOptions(exchange: ResourceExchange): Promise<DeleteOptions> {
  const { request } = exchange;
  const body = await request.readBody();
  const options =
    body.length > 0 ? decodeOptions(DeleteOptions, body, request.headers['content-type']) : fromQuery(request.query);
  const dryRun = [...(options.dryRun ?? []), ...request.query.getAll('dryRun')];
  const causes = [...dryRunCauses(dryRun), ...policyCauses(options)];
  if (causes.length > 0) throw invalid({ kind: 'DeleteOptions', group: 'meta.k8s.io' }, '', causes);
  return { ...options, dryRun };
}

function fromQuery(query: URLSearchParams): DeleteOptions {
  const grace = query.get('gracePeriodSeconds');
  const policy = query.get('propagationPolicy');
  const orphan = query.get('orphanDependents');
  return {
    ...(grace !== null && /^-?\d+$/.test(grace) && { gracePeriodSeconds: Number(grace) }),
    ...(policy !== null && { propagationPolicy: policy }),
    ...(orphan !== null && { orphanDependents: orphan === 'true' }),
  };
}

function policyCauses({ propagationPolicy, orphanDependents }: DeleteOptions): readonly StatusCause[] {
  if (propagationPolicy === undefined) return [];
  if (orphanDependents !== undefined) {
    const message =
      'Invalid value: ' +
      JSON.stringify(propagationPolicy) +
      ': orphanDependents and deletionPropagation cannot be both set';
    return [{ reason: 'FieldValueInvalid', message, field: 'propagationPolicy' }];
  }
  if (['Foreground', 'Background', 'Orphan'].includes(propagationPolicy)) return [];
  const message = `Unsupported value: ${JSON.stringify(propagationPolicy)}: supported values: "Foreground", "Background", "Orphan", "nil"`;
  return [{ reason: 'FieldValueNotSupported', message, field: 'propagationPolicy' }];
}
