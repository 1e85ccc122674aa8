import { badRequest } from './errors.ts';
import { canonicalQuantity, quantityFormat } from './quantity.ts';
import type { Field, FieldType, Kind, Message, ScalarName } from './schema.ts';
import { canonicalMicros, canonicalSeconds } from './times.ts';

/**
 * Brings parsed JSON into the form of a message: unknown fields out, scalars in canonical text, zero values that mean
 * "unset" out. What Kubernetes does by decoding JSON into Go structs and encoding them again.
 */

/** What to do about fields that the kind does not have. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** A value in the form of its message, and the paths of unknown fields that were left out. */
export interface Conformed<T> {
  readonly value: T;
  readonly unknown: readonly string[];
}

type JsonObject = Readonly<Record<string, unknown>>;

const goTypes: Readonly<Record<ScalarName, string>> = {
  string: 'string',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  bool: 'bool',
  bytes: '[]uint8',
  quantity: 'resource.Quantity',
  intOrString: 'intstr.IntOrString',
  time: 'v1.Time',
  microTime: 'v1.MicroTime',
  rawExtension: 'runtime.RawExtension',
  fieldsV1: 'v1.FieldsV1',
  strings: '[]string',
};

function goName(type: FieldType): string {
  switch (type.type) {
    case 'object':
      return `v1.${shortName(type.message)}`;
    case 'list':
      return `[]${goName(type.item)}`;
    case 'map':
      return `map[string]${goName(type.value)}`;
    default:
      return goTypes[type.type];
  }
}

function shortName(message: Message): string {
  return message.name.slice(message.name.lastIndexOf('.') + 1);
}

function jsonName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The base64 text without line breaks, which Go's decoder skips; undefined when it is none. */
function canonicalBase64(value: string): string | undefined {
  const text = /[\r\n]/.test(value) ? value.replaceAll(/[\r\n]/g, '') : value;
  return text.length % 4 === 0 && base64.test(text) ? text : undefined;
}

class Conformer {
  readonly unknown: string[] = [];
  readonly #path: (string | number)[] = [];
  /** The innermost message, for error messages. */
  #owner = '';

  message(message: Message, value: unknown): JsonObject {
    if (!isJsonObject(value)) throw this.#mismatch(value, `v1.${shortName(message)}`);
    const owner = this.#owner;
    this.#owner = shortName(message);
    const result = this.#fields(message, value);
    this.#owner = owner;
    return result;
  }

  /** Answers the same object when nothing had to change. */
  #fields(message: Message, value: JsonObject): JsonObject {
    let result: Record<string, unknown> | undefined;
    for (const name of Object.keys(value)) {
      const before = value[name];
      const field = message.byName.get(name);
      const after = field === undefined ? this.#unknown(name) : this.#field(name, field, before);
      if (after === before) continue;
      result ??= { ...value };
      if (after === undefined) delete result[name];
      else result[name] = after;
    }
    return result ?? value;
  }

  #unknown(name: string): undefined {
    this.#path.push(name);
    this.unknown.push(this.#where());
    this.#path.pop();
  }

  #field(name: string, field: Field, value: unknown): unknown {
    if (value === null || value === undefined) return undefined;
    this.#path.push(name);
    const result = this.#value(field.type, value);
    this.#path.pop();
    return field.required !== true && isUnset(field, result) ? undefined : result;
  }

  #value(type: FieldType, value: unknown): unknown {
    switch (type.type) {
      case 'object':
        return this.message(type.message, value);
      case 'list':
        return this.#list(type.item, type, value);
      case 'map':
        return this.#map(type.value, type, value);
      default:
        return this.#scalar(type.type, value);
    }
  }

  #list(item: FieldType, type: FieldType, value: unknown): readonly unknown[] {
    if (!Array.isArray(value)) throw this.#mismatch(value, goName(type));
    let result: unknown[] | undefined;
    for (let index = 0; index < value.length; index++) {
      const before: unknown = value[index];
      this.#path.push(index);
      const after = this.#value(item, before ?? zeroOf(item));
      this.#path.pop();
      if (after === before) continue;
      result ??= [...value];
      result[index] = after;
    }
    return result ?? value;
  }

  #map(item: FieldType, type: FieldType, value: unknown): JsonObject {
    if (!isJsonObject(value)) throw this.#mismatch(value, goName(type));
    let changed = false;
    const entries = Object.entries(value).map(([key, before]): [string, unknown] => {
      this.#path.push(key);
      const after = this.#value(item, before ?? zeroOf(item));
      this.#path.pop();
      changed ||= after !== before;
      return [key, after];
    });
    return changed ? Object.fromEntries(entries) : value;
  }

  #scalar(type: ScalarName, value: unknown): unknown {
    switch (type) {
      case 'string':
        return typeof value === 'string' ? value : this.#fail(value, type);
      case 'bool':
        return typeof value === 'boolean' ? value : this.#fail(value, type);
      case 'int32':
        return this.#integer(value, type, 2 ** 31);
      case 'int64':
        return this.#integer(value, type, 2 ** 63);
      case 'double':
        return typeof value === 'number' ? value : this.#fail(value, type);
      case 'intOrString':
        return typeof value === 'string' ? value : this.#integer(value, type, 2 ** 31);
      case 'rawExtension':
      case 'fieldsV1':
        return isJsonObject(value) ? value : this.#fail(value, type);
      case 'strings':
        return this.#list({ type: 'string' }, { type }, value);
      default:
        return this.#text(type, value);
    }
  }

  #text(type: 'bytes' | 'quantity' | 'time' | 'microTime', value: unknown): string {
    if (type === 'quantity' && typeof value === 'number') return this.#text(type, String(value));
    if (typeof value !== 'string') return this.#fail(value, type);
    switch (type) {
      case 'bytes':
        return canonicalBase64(value) ?? this.#bad('illegal base64 data at input byte 0');
      case 'quantity':
        return canonicalQuantity(value) ?? this.#bad(quantityFormat);
      case 'time':
        return canonicalSeconds(value) ?? this.#bad(badTime(value, '2006-01-02T15:04:05Z07:00'));
      case 'microTime':
        return canonicalMicros(value) ?? this.#bad(badTime(value, '2006-01-02T15:04:05.000000Z07:00'));
    }
  }

  #integer(value: unknown, type: ScalarName, limit: number): number {
    if (typeof value !== 'number') return this.#fail(value, type);
    if (!Number.isInteger(value) || value >= limit || value < -limit) {
      throw this.#mismatch(value, goTypes[type], `number ${value}`);
    }
    return value;
  }

  #fail(value: unknown, type: ScalarName): never {
    throw this.#mismatch(value, goTypes[type]);
  }

  #bad(message: string): never {
    throw badRequest(message);
  }

  #mismatch(value: unknown, wanted: string, found: string = jsonName(value)): Error {
    const names = this.#path.filter((each) => typeof each === 'string');
    const target = names.length === 0 ? 'Go value' : `Go struct field ${this.#owner}.${names.join('.')}`;
    return badRequest(`json: cannot unmarshal ${found} into ${target} of type ${wanted}`);
  }

  #where(): string {
    return this.#path.reduce<string>((text, part) => {
      if (typeof part === 'number') return `${text}[${part}]`;
      return text === '' ? part : `${text}.${part}`;
    }, '');
  }
}

function badTime(value: string, layout: string): string {
  return `parsing time ${JSON.stringify(JSON.stringify(value))} as ${JSON.stringify(JSON.stringify(layout))}: cannot parse ${JSON.stringify(value)}`;
}

function zeroOf(type: FieldType): unknown {
  switch (type.type) {
    case 'object':
    case 'map':
    case 'rawExtension':
    case 'fieldsV1':
      return {};
    case 'list':
    case 'strings':
      return [];
    case 'bool':
      return false;
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0;
    case 'quantity':
      return '0';
    default:
      return '';
  }
}

/** Is it the zero value of a field that cannot tell zero from absent? */
function isUnset(field: Field, value: unknown): boolean {
  if (field.pointer === true) return false;
  switch (field.type.type) {
    case 'list':
      return Array.isArray(value) && value.length === 0;
    case 'map':
      return isJsonObject(value) && Object.keys(value).length === 0;
    case 'object':
      return false;
    default:
      return value === '' || value === 0 || value === false;
  }
}

/**
 * Whether every field that is there has the type of its message, unknown fields aside: what `conform` would not throw at,
 * for those who only read, at a third of the cost.
 */
export function hasTypes(message: Message, value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  for (const name of Object.keys(value)) {
    const field = message.byName.get(name);
    if (field !== undefined && !isOfType(field.type, value[name])) return false;
  }
  return true;
}

function isOfType(type: FieldType, value: unknown): boolean {
  switch (type.type) {
    case 'object':
      return hasTypes(type.message, value);
    case 'list':
      return Array.isArray(value) && value.every((item) => isOfType(type.item, item));
    case 'map':
      return isJsonObject(value) && Object.values(value).every((item) => isOfType(type.value, item));
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'int32':
      return isInt32(value);
    case 'int64':
      return Number.isSafeInteger(value);
    case 'intOrString':
      return typeof value === 'string' || isInt32(value);
    case 'time':
      return typeof value === 'string' && canonicalSeconds(value) === value;
    case 'fieldsV1':
      return isJsonObject(value);
    default:
      return false;
  }
}

function isInt32(value: unknown): value is number {
  return typeof value === 'number' && (value | 0) === value;
}

/**
 * Checks and normalises parsed JSON against a message. Throws `ApiError` 400 on a type mismatch. The result shares
 * structure with `value`, which stays as it was.
 */
export function conform<T>(message: Message<T>, value: unknown): Conformed<T> {
  const conformer = new Conformer();
  const result = conformer.message(message, value);
  return { value: result as T, unknown: conformer.unknown };
}

/** As `conform`, for an object of a kind: sets `kind` and `apiVersion`. */
export function conformObject<T>(kind: Kind<T>, value: unknown): Conformed<T> {
  const { value: object, unknown } = conform(kind.message, value);
  return { value: { ...object, kind: kind.kind, apiVersion: kind.apiVersion }, unknown };
}
