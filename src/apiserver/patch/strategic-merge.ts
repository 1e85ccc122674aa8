import { badRequest } from '../../api/errors.ts';
import type { Field, FieldType, Kind, Message } from '../../api/schema.ts';
import { isJsonObject, ownField, showJson, type JsonObject } from '../../lib/json.ts';
import { mergeObjects, mergeScalars, removeScalars } from './keyed-lists.ts';
import { elementKey, orderBy } from './list-order.ts';

const directive = '$patch';
const retainKeys = '$retainKeys';
const orderPrefix = '$setElementOrder/';
const deletePrefix = '$deleteFromPrimitiveList/';

/**
 * Applies a strategic merge patch: a merge patch that knows from the kind's schema which lists merge by a key or as a
 * set, with the directives `$patch`, `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…`. The document
 * is not changed; the result shares structure with it.
 *
 * @throws ApiError 400 when the patch or one of its directives is malformed
 */
export function applyStrategicMergePatch(kind: Kind, document: JsonObject, patch: unknown): JsonObject {
  if (!isJsonObject(patch)) throw badRequest('a strategic merge patch is an object');
  return mergeStrategically(typeOf(kind.message), document, patch);
}

function typeOf(message: Message): FieldType {
  return { type: 'object', message };
}

/** Merges an object of the type; without a type lists are replaced and objects merged. */
function mergeStrategically(type: FieldType | undefined, document: JsonObject, patch: JsonObject): JsonObject {
  const whole = ownField(patch, directive);
  if (whole !== undefined) return replaceWhole(whole, type, patch);
  const result = new Map(retained(document, patch));
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith('$')) continue;
    if (value === null) result.delete(name);
    else result.set(name, mergeField(fieldOf(type, name), name, result.get(name), patch));
  }
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith(deletePrefix)) removeFrom(result, name, value);
  }
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith(orderPrefix)) reorder(type, result, document, name, value);
  }
  return Object.fromEntries(result);
}

/** `$patch: replace` takes the rest of the patch for the object, `$patch: delete` empties it. */
function replaceWhole(action: unknown, type: FieldType | undefined, patch: JsonObject): JsonObject {
  if (action === 'delete') return {};
  if (action !== 'replace') throw badRequest(`unknown patch type found: ${showJson(action)}`);
  const rest = Object.fromEntries(Object.entries(patch).filter(([name]) => name !== directive));
  return mergeStrategically(type, {}, rest);
}

/** The fields that `$retainKeys` leaves; all of them without it. */
function retained(document: JsonObject, patch: JsonObject): [string, unknown][] {
  const keys = ownField(patch, retainKeys);
  if (keys === undefined) return Object.entries(document);
  if (!Array.isArray(keys)) throw badRequest('$retainKeys has to be a list');
  const kept = new Set<unknown>(keys);
  const extra = Object.keys(patch).find((name) => !name.startsWith('$') && patch[name] !== null && !kept.has(name));
  if (extra !== undefined) throw badRequest(`the patch sets ${extra}, which $retainKeys does not list`);
  return Object.entries(document).filter(([name]) => kept.has(name));
}

/** What the schema says of a field: its type and rules. A map's values all have the same. */
function fieldOf(type: FieldType | undefined, name: string): Pick<Field, 'type' | 'mergeKey' | 'strategy'> | undefined {
  if (type?.type === 'object') return type.message.byName.get(name);
  return type?.type === 'map' ? { type: type.value } : undefined;
}

type FieldFacts = ReturnType<typeof fieldOf>;

function mergeField(field: FieldFacts, name: string, current: unknown, patch: JsonObject): unknown {
  const value = patch[name];
  if (field?.strategy === 'replace') return value;
  if (isJsonObject(value)) return mergeStrategically(field?.type, isJsonObject(current) ? current : {}, value);
  if (Array.isArray(value) && isMergedList(field)) {
    return mergeList(field, Array.isArray(current) ? current : [], value);
  }
  return value;
}

function isMergedList(field: FieldFacts): field is NonNullable<FieldFacts> {
  const isMerged = field?.strategy?.startsWith('merge') ?? field?.mergeKey !== undefined;
  return isMerged && field?.type.type === 'list';
}

function mergeList(field: NonNullable<FieldFacts>, current: readonly unknown[], patch: readonly unknown[]): unknown[] {
  const { mergeKey } = field;
  if (mergeKey === undefined) return mergeScalars(current, patch);
  const item = field.type.type === 'list' ? field.type.item : undefined;
  return mergeObjects(mergeKey, current, patch, (old, change) => mergeStrategically(item, old, change));
}

/** `$deleteFromPrimitiveList/x`: what goes from a set. */
function removeFrom(result: Map<string, unknown>, name: string, values: unknown): void {
  const target = name.slice(deletePrefix.length);
  const list = result.get(target);
  if (Array.isArray(list)) result.set(target, removeScalars(list, asList(name, values)));
}

/** `$setElementOrder/x`: in which order the elements are. */
function reorder(
  type: FieldType | undefined,
  result: Map<string, unknown>,
  document: JsonObject,
  name: string,
  order: unknown,
): void {
  const target = name.slice(orderPrefix.length);
  const list = result.get(target);
  if (!Array.isArray(list)) return;
  const before = ownField(document, target);
  const keyOf = elementKey(fieldOf(type, target)?.mergeKey);
  result.set(target, orderBy(list, asList(name, order), Array.isArray(before) ? before : [], keyOf));
}

function asList(name: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw badRequest(`${name} has to be a list`);
}
