import type { ApiObject } from './meta/object-meta.ts';
import type { Field, FieldType, Kind, Message } from './schema.ts';

/** Filling in what clients may leave out: first the defaults in the field tables, then those of the kind. */

type JsonObject = Readonly<Record<string, unknown>>;

function completeField(field: Field, value: unknown): unknown {
  if (value !== undefined) return completeValue(field.type, value);
  if (field.default !== undefined) return field.default;
  if (field.present === true) return completeValue(field.type, {});
  return undefined;
}

function completeValue(type: FieldType, value: unknown): unknown {
  switch (type.type) {
    case 'object':
      return completeMessage(type.message, value as JsonObject);
    case 'list':
      return completeList(type.item, value as readonly unknown[]);
    case 'map':
      return Object.fromEntries(
        Object.entries(value as JsonObject).map(([key, each]) => [key, completeValue(type.value, each)]),
      );
    default:
      return value;
  }
}

function completeList(item: FieldType, values: readonly unknown[]): readonly unknown[] {
  const completed = values.map((each) => completeValue(item, each));
  return completed.some((each, index) => each !== values[index]) ? completed : values;
}

function completeMessage(message: Message, value: JsonObject): JsonObject {
  let result: Record<string, unknown> | undefined;
  for (const [name, field] of message.defaulted) {
    const before = value[name];
    const after = completeField(field, before);
    if (after === before) continue;
    result ??= { ...value };
    result[name] = after;
  }
  return result ?? value;
}

/** Fills in the defaults of the field tables. Shares structure with `value`. */
export function withFieldDefaults<T>(message: Message<T>, value: T): T {
  return completeMessage(message, value as JsonObject) as T;
}

/** The object with every default of its kind. Answers the same object when nothing was missing. */
export function withDefaults<T extends ApiObject>(kind: Kind<T>, object: T): T {
  const completed = withFieldDefaults(kind.message, object);
  return kind.setDefaults?.(completed) ?? completed;
}
