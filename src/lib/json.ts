/** A JSON object whose fields are not known. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Is it a JSON object (not null, not an array)? */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Are two JSON values equal? The order of an object's fields does not count; `undefined` fields are absent. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) {
    return Array.isArray(right) && left.length === right.length && left.every((it, at) => sameJson(it, right[at]));
  }
  if (!isJsonObject(left) || !isJsonObject(right)) return false;
  const names = definedNames(left);
  return (
    names.length === definedNames(right).length && names.every((name) => sameJson(left[name], ownField(right, name)))
  );
}

/** The value of an object's own field; undefined when it has none (inherited ones such as `constructor` do not count). */
export function ownField(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** A JSON value for people: text as it is, anything else as JSON. */
export function showJson(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function definedNames(object: JsonObject): string[] {
  return Object.keys(object).filter((name) => object[name] !== undefined);
}
