import { badRequest } from '../../api/errors.ts';
import { isJsonObject, ownField, type JsonObject } from '../../lib/json.ts';

/**
 * Applies a JSON merge patch (RFC 7386): objects merge, null removes, anything else replaces. The document is not
 * changed; the result shares structure with it.
 *
 * @throws ApiError 400 when the patch is not an object
 */
export function applyMergePatch(document: JsonObject, patch: unknown): JsonObject {
  if (!isJsonObject(patch)) throw badRequest('a merge patch is an object');
  return mergeObject(document, patch);
}

function mergeObject(document: JsonObject, patch: JsonObject): JsonObject {
  const result = new Map(Object.entries(document));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else result.set(name, merge(ownField(document, name), value));
  }
  return Object.fromEntries(result);
}

function merge(value: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  return mergeObject(isJsonObject(value) ? value : {}, patch);
}
