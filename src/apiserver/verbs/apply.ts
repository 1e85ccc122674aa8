import { decodeObject, parseBody } from '../../api/decode.ts';
import { applyConflict, badRequest, isAlreadyExists } from '../../api/errors.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import { formatTime } from '../../api/times.ts';
import { applyPatch } from '../apply/apply.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Reply } from '../http/reply.ts';
import { jsonReply } from '../http/reply.ts';
import type { Server } from '../server.ts';
import { cacheOf, keyOf } from '../server.ts';
import { createObject } from '../write/create-object.ts';
import type { WriteOptions } from '../write/options.ts';
import { updateObject } from '../write/update-object.ts';

/** Media type of server-side apply. The body may be YAML or JSON. */
export const applyPatchType = 'application/apply-patch+yaml';

/** PATCH with what one manager wants of an object (KEP-555). Creates the object when it is not there. */
export async function apply(exchange: ResourceExchange, server: Server, options: WriteOptions): Promise<Reply> {
  const { kind, form, info, request } = exchange;
  if (!request.query.get('fieldManager')) throw badRequest('fieldManager is required for apply patch');
  const applied = readApplied(exchange, await request.readBody(), options);
  await server.cache.fresh();
  const merge = (live: ApiObject | undefined) => merged(exchange, server, live, applied, options);
  const isNew =
    info.subresource === undefined &&
    cacheOf(server, kind).items.get(keyOf(kind, info.namespace, info.name ?? '')) === undefined;
  if (isNew) {
    try {
      const item = await createObject(exchange, server, merge(undefined), options, { keepsManagedFields: true });
      return jsonReply(201, form.one(item), form.mediaType);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      await server.cache.fresh();
    }
  }
  const change = { next: merge, subresource: info.subresource, keepsManagedFields: true };
  const item = await updateObject(exchange, server, info.name ?? '', change, options);
  return jsonReply(200, form.one(item), form.mediaType);
}

function readApplied(exchange: ResourceExchange, body: Uint8Array, options: WriteOptions): ApiObject {
  const { kind, info } = exchange;
  const parsed = parseBody(body, applyPatchType);
  const { value, warnings } = decodeObject(kind, parsed, options.fieldValidation);
  exchange.warnings.push(...warnings);
  const { name = info.name, namespace = info.namespace } = value.metadata;
  if (name !== info.name) {
    throw badRequest(`the name of the object (${name ?? ''}) does not match the name on the URL (${info.name ?? ''})`);
  }
  const place = kind.namespaced ? { name, namespace } : { name };
  return { ...value, metadata: { ...value.metadata, ...place } };
}

function merged(
  exchange: ResourceExchange,
  server: Server,
  live: ApiObject | undefined,
  applied: ApiObject,
  options: WriteOptions,
): ApiObject {
  const { kind, info } = exchange;
  const { manager, force } = options;
  const applier = { manager, force, time: formatTime(server.now()), subresource: info.subresource };
  const { resourceVersion, ...metadata } = applied.metadata;
  const result = applyPatch<ApiObject>(kind, live, { ...applied, metadata }, applier);
  if (result.type === 'conflicts') throw applyConflict(result.causes);
  const { resourceVersion: _, ...rest } = result.object.metadata;
  return { ...result.object, metadata: { ...rest, ...(resourceVersion && { resourceVersion }) } };
}
