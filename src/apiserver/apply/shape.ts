import { badRequest } from '../../api/errors.ts';
import type { Field, Kind } from '../../api/schema.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { fieldElement, keyElement, showPath, valueElement } from './path-element.ts';

/** What the schema says of a value: its type, and how its parts are owned. Undefined: nothing, it is one piece. */
export type Shape = Pick<Field, 'type' | 'listType' | 'mapKeys' | 'mapType' | 'pointer' | 'required'> | undefined;

/** A part of a value that has an owner of its own. */
export interface Part {
  /** Its path element below the value. */
  readonly element: string;
  readonly value: unknown;
  readonly shape: Shape;
}

/** The shape of a whole object. */
export function shapeOf(kind: Kind): Shape {
  return { type: { type: 'object', message: kind.message } };
}

/** Does a value of that shape and form have parts of its own? Others (scalars, atomic lists and objects) are leaves. */
export function isGranular(shape: Shape, value: unknown): value is JsonObject | readonly unknown[] {
  if (shape === undefined) return false;
  const { type, listType = 'atomic', mapType = 'granular' } = shape;
  switch (type.type) {
    case 'object':
      return mapType === 'granular' && !type.message.atomic && isJsonObject(value);
    case 'map':
      return mapType === 'granular' && isJsonObject(value);
    case 'list':
      return listType !== 'atomic' && Array.isArray(value);
    default:
      return false;
  }
}

/** The parts of a granular value, in order; null counts as absent. Undefined for a leaf. */
export function partsOf(shape: Shape, value: unknown): readonly Part[] | undefined {
  if (shape === undefined || !isGranular(shape, value)) return undefined;
  const parts: Part[] = [];
  for (const name in value) {
    const part = partAt(shape, value, name);
    if (part !== undefined) parts.push(part);
  }
  return parts;
}

/** The part under a field's name or a list's index (as text); undefined when there is none. */
export function partAt(
  shape: NonNullable<Shape>,
  value: JsonObject | readonly unknown[],
  name: string,
): Part | undefined {
  if (Array.isArray(value)) return itemPart(shape, value[Number(name)]);
  const part = isJsonObject(value) ? value[name] : undefined;
  if (part === undefined || part === null) return undefined;
  return { element: fieldElement(name), value: part, shape: fieldShape(shape, name) };
}

/** The same parts by element. A list's later duplicates are left out. */
export function partsByElement(parts: readonly Part[]): ReadonlyMap<string, Part> {
  const byElement = new Map<string, Part>();
  for (const part of parts) if (!byElement.has(part.element)) byElement.set(part.element, part);
  return byElement;
}

/** Puts a granular value of that shape together from its parts. */
export function valueFrom(shape: Shape, parts: Iterable<Part>): unknown {
  if (shape?.type.type === 'list') return Array.from(parts, ({ value }) => value);
  return Object.fromEntries(Array.from(parts, ({ element, value }) => [element.slice(2), value]));
}

/** Throws ApiError 400 when two elements of a list that a client sent have the same keys. */
export function checkDistinct(shape: Shape, value: unknown, path: readonly string[] = []): void {
  const parts = partsOf(shape, value) ?? [];
  const seen = new Set<string>();
  for (const part of parts) {
    const inside = [...path, part.element];
    if (seen.has(part.element)) {
      throw badRequest(`${showPath(path)}: duplicate entries for key ${showPath([part.element])}`);
    }
    seen.add(part.element);
    checkDistinct(part.shape, part.value, inside);
  }
}

function itemPart(shape: NonNullable<Shape>, item: unknown): Part {
  const type = shape.type.type === 'list' ? shape.type.item : shape.type;
  const hasKeys = shape.listType === 'map' && isJsonObject(item);
  const element = hasKeys ? keyElement(item, shape.mapKeys ?? [], type) : valueElement(item);
  return { element, value: item, shape: { type } };
}

function fieldShape({ type }: NonNullable<Shape>, name: string): Shape {
  if (type.type === 'object') return type.message.byName.get(name);
  return type.type === 'map' ? { type: type.value } : undefined;
}
