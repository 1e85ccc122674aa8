import { decodeObject, fieldWarnings, parseBody } from '../../api/decode.ts';
import { badRequest, unsupportedMediaType } from '../../api/errors.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import type { Kind } from '../../api/schema.ts';
import type { JsonObject } from '../../lib/json.ts';
import { isJsonObject } from '../../lib/json.ts';
import type { Incoming, ResourceExchange } from '../exchange.ts';
import type { Reply } from '../http/reply.ts';
import { jsonReply } from '../http/reply.ts';
import { applyJsonPatch } from '../patch/json-patch.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { applyStrategicMergePatch } from '../patch/strategic-merge.ts';
import type { Server } from '../server.ts';
import type { WriteOptions } from '../write/options.ts';
import { parseWriteOptions } from '../write/options.ts';
import { updateObject } from '../write/update-object.ts';
import { apply, applyPatchType } from './apply.ts';

/** A patch that changes what is there; server-side apply is its own verb in all but name. */
export interface Patch {
  /** The document after the patch. Throws `ApiError` when it does not apply. */
  change(kind: Kind, document: JsonObject): JsonObject;
}

const patchTypes = new Map<string, (kind: Kind, document: JsonObject, patch: unknown) => JsonObject>([
  ['application/json-patch+json', (_kind, document, patch) => applyJsonPatch(document, patch)],
  ['application/merge-patch+json', (_kind, document, patch) => applyMergePatch(document, patch)],
  ['application/strategic-merge-patch+json', applyStrategicMergePatch],
]);

/** PATCH of one object or its status. */
export async function patch(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const { form, info, request } = exchange;
  const options = parseWriteOptions(request, 'PatchOptions');
  if (mediaTypeOf(request) === applyPatchType) return apply(exchange, server, options);
  const { change } = await readPatch(exchange, options);
  await server.cache.fresh();
  const next = (live: ApiObject) => patched(exchange, live, change, options);
  const item = await updateObject(exchange, server, info.name ?? '', { next, subresource: info.subresource }, options);
  return jsonReply(200, form.one(item), form.mediaType);
}

/** Reads the patch in the body. Throws `ApiError` 415 for other media types. */
export async function readPatch(exchange: ResourceExchange, options: WriteOptions): Promise<Patch> {
  const { request } = exchange;
  const change = patchTypes.get(mediaTypeOf(request));
  if (change === undefined) throw unsupportedMediaType([...patchTypes.keys(), applyPatchType]);
  const { value, duplicates } = parseBody(await request.readBody(), 'application/json');
  exchange.warnings.push(...fieldWarnings([], duplicates, options.fieldValidation));
  return { change: (kind, document) => change(kind, document, value) };
}

/** The object after the patch. A version that the patch did not set itself is no condition: the patch is tried again. */
function patched(
  exchange: ResourceExchange,
  live: ApiObject,
  change: Patch['change'],
  options: WriteOptions,
): ApiObject {
  const { kind } = exchange;
  const { value, warnings } = decodeObject(
    kind,
    { value: change(kind, toDocument(live)), duplicates: [] },
    options.fieldValidation,
  );
  exchange.warnings.push(...warnings);
  return isDeclared(value, live) ? value : withoutVersion(value);
}

function isDeclared(object: ApiObject, live: ApiObject): boolean {
  return object.metadata.resourceVersion !== live.metadata.resourceVersion;
}

function withoutVersion(object: ApiObject): ApiObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function toDocument(object: ApiObject): JsonObject {
  const document: unknown = object;
  if (!isJsonObject(document)) throw badRequest('not an object');
  return document;
}

function mediaTypeOf(request: Incoming): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}
