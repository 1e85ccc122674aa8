import type { ApiObject } from './meta/object-meta.ts';
import type { Field, FieldType, Kind, Message, ScalarName } from './schema.ts';

/**
 * Filling in what clients may leave out: first the defaults in the field tables, then those of the kind.
 *
 * Required scalars and lists get their zero value, as in Go, so that readers find every field that the type promises.
 */

type JsonObject = Readonly<Record<string, unknown>>;

const zeroScalars: Readonly<Partial<Record<ScalarName, string | number | boolean>>> = {
  string: '',
  bytes: '',
  int32: 0,
  int64: 0,
  double: 0,
  bool: false,
  quantity: '0',
  intOrString: 0,
};

const noItems: readonly unknown[] = [];

/** What a required field is when nobody said anything. Objects and times stay absent, and validation complains. */
function zeroOf(type: FieldType): unknown {
  if (type.type === 'list') return noItems;
  return type.type === 'object' || type.type === 'map' ? undefined : zeroScalars[type.type];
}

function completeField(field: Field, value: unknown): unknown {
  if (value !== undefined) return completeValue(field.type, value);
  if (field.default !== undefined) return field.default;
  if (field.present === true) return completeValue(field.type, {});
  return field.required === true ? zeroOf(field.type) : undefined;
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
