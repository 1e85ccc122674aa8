import { isJsonObject, ownField, type JsonObject } from '../../lib/json.ts';
import type { FieldType } from '../../api/schema.ts';

/** The path element of a field or of a map's key. */
export function fieldElement(name: string): string {
  return `f:${name}`;
}

/** The path element of a value in a set. */
export function valueElement(value: unknown): string {
  return `v:${JSON.stringify(value)}`;
}

/** The path element of an element of a list with keys; a key that is absent counts with its default. */
export function keyElement(item: JsonObject, mapKeys: readonly string[], type: FieldType): string {
  const parts: string[] = [];
  for (const name of mapKeys.toSorted()) {
    const fallback = type.type === 'object' ? type.message.byName.get(name)?.default : undefined;
    const value = ownField(item, name) ?? fallback;
    if (value !== undefined) parts.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
  }
  return `k:{${parts.join(',')}}`;
}

/** A path as conflicts show it: `.spec.ports[port=80,protocol="TCP"].targetPort`. */
export function showPath(elements: readonly string[]): string {
  return elements.map(showElement).join('');
}

function showElement(element: string): string {
  const rest = element.slice(2);
  switch (element.slice(0, 2)) {
    case 'f:':
      return `.${rest}`;
    case 'v:':
      return `[=${rest}]`;
    case 'k:':
      return `[${showKeys(rest)}]`;
    default:
      return `[${rest}]`;
  }
}

function showKeys(text: string): string {
  const keys: unknown = JSON.parse(text);
  if (!isJsonObject(keys)) return text;
  return Object.entries(keys)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',');
}
