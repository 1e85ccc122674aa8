import { badRequest } from '../../api/errors.ts';
import { isJsonObject, ownField, showJson, type JsonObject } from '../../lib/json.ts';
import { elementKey, orderBy } from './list-order.ts';

/** Merges one element into another. */
export type MergeElement = (element: JsonObject, patch: JsonObject) => JsonObject;

/**
 * Merges a list of objects by key: elements of the patch change those with the same key and join the others.
 * `{$patch: delete, key}` removes, `{$patch: replace}` anywhere makes the rest of the patch the whole list.
 */
export function mergeObjects(
  mergeKey: string,
  current: readonly unknown[],
  patch: readonly unknown[],
  merge: MergeElement,
): unknown[] {
  const elements = patch.map((element) => asElement(element, mergeKey));
  const plain = elements.filter((element) => ownField(element, '$patch') === undefined);
  if (elements.some((element) => element['$patch'] === 'replace')) return plain.map((element) => merge({}, element));
  const keyOf = elementKey(mergeKey);
  const gone = new Set(elements.filter(isDeletion).map(keyOf));
  const result = current.filter((element) => !gone.has(keyOf(element)));
  for (const element of plain) {
    const at = result.findIndex((other) => keyOf(other) === keyOf(element));
    const old = result[at];
    if (isJsonObject(old)) result[at] = merge(old, element);
    else result.push(merge({}, element));
  }
  return orderBy(result, plain, current, keyOf);
}

/** Merges a set: what the patch has and the list has not joins it. */
export function mergeScalars(current: readonly unknown[], patch: readonly unknown[]): unknown[] {
  const merged = [...new Set([...current, ...patch])];
  return orderBy(merged, patch, current, elementKey(undefined));
}

/** A set without some of its values. */
export function removeScalars(current: readonly unknown[], values: readonly unknown[]): unknown[] {
  const gone = new Set(values);
  return current.filter((value) => !gone.has(value));
}

function isDeletion(element: JsonObject): boolean {
  const action = ownField(element, '$patch');
  if (action !== undefined && action !== 'delete') throw badRequest(`unknown patch type found: ${showJson(action)}`);
  return action === 'delete';
}

function asElement(element: unknown, mergeKey: string): JsonObject {
  if (!isJsonObject(element)) throw badRequest(`an element of a list that merges by ${mergeKey} has to be an object`);
  const needsKey = ownField(element, '$patch') !== 'replace';
  if (needsKey && ownField(element, mergeKey) === undefined) {
    throw badRequest(`map: ${JSON.stringify(element)} does not contain declared merge key: ${mergeKey}`);
  }
  return element;
}
