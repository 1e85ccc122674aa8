import { badRequest } from '../errors.ts';
import { canonicalQuantity, quantityFormat } from '../quantity.ts';
import type { Field, FieldType, Message, ScalarName } from '../schema.ts';
import { formatMicroTime, formatTime, isWritable } from '../times.ts';
import { Reader } from './wire.ts';

/**
 * Protobuf to the JSON form of a message, driven by the field tables.
 *
 * Kubernetes' clients send the zero value of every field that is no pointer; it means "unset" and is left out, except
 * for required fields. An empty message stands for an unset time, quantity or non-pointer object.
 */

type Draft = Record<string, unknown>;

function fill(message: Message, reader: Reader, draft: Draft): Draft {
  while (!reader.isDone) {
    const tag = reader.unsigned();
    const slot = message.byNumber.get(Math.floor(tag / 8));
    if (slot === undefined) reader.skip(tag % 8);
    else if ('inline' in slot) fill(slot.inline, reader.message(), draft);
    else put(draft, slot.name, slot.field, reader, tag % 8);
  }
  return draft;
}

function put(draft: Draft, name: string, field: Field, reader: Reader, wireType: number): void {
  const { type } = field;
  if (type.type === 'list') append(draft, name, type.item, reader, wireType);
  else if (type.type === 'map') putEntry(draft, name, type.value, reader);
  else {
    const value = type.type === 'object' ? fill(type.message, reader.message(), {}) : scalar(type.type, reader);
    if (isMeant(field, value)) draft[name] = value;
  }
}

function isMeant(field: Field, value: unknown): boolean {
  if (value === undefined) return false;
  if (field.pointer === true || field.required === true || field.present === true) return true;
  if (field.type.type === 'object') return Object.keys(value as object).length > 0;
  return value !== '' && value !== 0 && value !== false;
}

function append(draft: Draft, name: string, item: FieldType, reader: Reader, wireType: number): void {
  const list = (draft[name] as unknown[] | undefined) ?? [];
  draft[name] = list;
  if (wireType === 2 && isNumeric(item)) {
    const packed = reader.message();
    while (!packed.isDone) list.push(element(item, packed));
  } else list.push(element(item, reader));
}

function isNumeric(item: FieldType): boolean {
  return item.type === 'int32' || item.type === 'int64' || item.type === 'bool' || item.type === 'double';
}

function element(type: FieldType, reader: Reader): unknown {
  switch (type.type) {
    case 'object':
      return fill(type.message, reader.message(), {});
    case 'list':
    case 'map':
      throw new TypeError(`protobuf has no list of ${type.type}`);
    default:
      return scalar(type.type, reader) ?? '';
  }
}

function putEntry(draft: Draft, name: string, type: FieldType, outer: Reader): void {
  const reader = outer.message();
  let key = '';
  let value: unknown;
  while (!reader.isDone) {
    const tag = reader.unsigned();
    if (tag === 0x0a) key = reader.text();
    else if (tag >= 0x10 && tag < 0x18) value = element(type, reader);
    else reader.skip(tag % 8);
  }
  const map = (draft[name] as Draft | undefined) ?? {};
  draft[name] = map;
  Object.defineProperty(map, key, { value: value ?? '', enumerable: true, writable: true, configurable: true });
}

/** Undefined for a message that stands for "unset". */
function scalar(type: ScalarName, reader: Reader): unknown {
  switch (type) {
    case 'string':
      return reader.text();
    case 'bool':
      return reader.unsigned() !== 0;
    case 'int32':
    case 'int64':
      return reader.signed();
    case 'double':
      return reader.double();
    case 'bytes':
      return Buffer.from(reader.bytes()).toString('base64');
    default:
      return boxed(type, reader.message());
  }
}

type Boxed = 'quantity' | 'intOrString' | 'time' | 'microTime' | 'rawExtension' | 'fieldsV1' | 'strings';

function boxed(type: Boxed, reader: Reader): unknown {
  switch (type) {
    case 'quantity':
      return quantity(reader);
    case 'intOrString':
      return intOrString(reader);
    case 'time':
    case 'microTime':
      return timestamp(type, reader);
    case 'rawExtension':
    case 'fieldsV1':
      return json(reader);
    case 'strings':
      return strings(reader);
  }
}

/** The fields of a small message whose numbers are all known: varints as numbers, the rest as bytes. */
function small(reader: Reader): { readonly numbers: Map<number, number>; readonly blobs: Map<number, Uint8Array> } {
  const numbers = new Map<number, number>();
  const blobs = new Map<number, Uint8Array>();
  while (!reader.isDone) {
    const tag = reader.unsigned();
    const number = Math.floor(tag / 8);
    if (tag % 8 === 0) numbers.set(number, reader.signed());
    else if (tag % 8 === 2) blobs.set(number, reader.bytes());
    else reader.skip(tag % 8);
  }
  return { numbers, blobs };
}

function textOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

function quantity(reader: Reader): string | undefined {
  const { blobs } = small(reader);
  const text = textOf(blobs.get(1));
  if (text === '') return undefined;
  const canonical = canonicalQuantity(text);
  if (canonical === undefined) throw badRequest(quantityFormat);
  return canonical;
}

/** `{ type = 1 (0 number, 1 text), intVal = 2, strVal = 3 }` */
function intOrString(reader: Reader): number | string {
  const { numbers, blobs } = small(reader);
  return numbers.get(1) === 1 ? textOf(blobs.get(3)) : (numbers.get(2) ?? 0);
}

/** `{ seconds = 1, nanos = 2 }`; empty for an unset time. */
function timestamp(type: 'time' | 'microTime', reader: Reader): string | undefined {
  if (reader.isDone) return undefined;
  const { numbers } = small(reader);
  const seconds = numbers.get(1) ?? 0;
  const nanos = numbers.get(2) ?? 0;
  if (!isWritable(seconds * 1000) || nanos < 0 || nanos >= 1e9) throw badRequest('time is outside of range');
  if (type === 'time') return formatTime(seconds * 1000);
  return formatMicroTime(seconds * 1000).replace('.000000', `.${micros(nanos)}`);
}

function micros(nanos: number): string {
  return String(Math.floor(nanos / 1000)).padStart(6, '0');
}

/** `{ raw = 1 }` with JSON text. */
function json(reader: Reader): unknown {
  const text = textOf(small(reader).blobs.get(1));
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badRequest(`unable to decode embedded JSON: ${String(cause)}`);
  }
}

/** `{ items = 1 repeated }` */
function strings(reader: Reader): readonly string[] {
  const items: string[] = [];
  while (!reader.isDone) {
    const tag = reader.unsigned();
    if (tag === 0x0a) items.push(reader.text());
    else reader.skip(tag % 8);
  }
  return items;
}

/** Decodes one message. Unknown fields are skipped; malformed input throws `ApiError` 400. */
export function decodeMessage<T>(message: Message<T>, bytes: Uint8Array): T {
  return fill(message, new Reader(bytes), {}) as T;
}
