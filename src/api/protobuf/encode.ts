import type { Field, FieldType, Message, ScalarName } from '../schema.ts';
import { Writer } from './wire.ts';

/** The JSON form of a message to protobuf, in the order of the field numbers. Absent fields are not written. */

type JsonObject = Readonly<Record<string, unknown>>;

function nested(write: (writer: Writer) => void): Uint8Array {
  const writer = new Writer();
  write(writer);
  return writer.written;
}

function writeMessage(writer: Writer, message: Message, value: JsonObject): void {
  for (const [number, slot] of message.byNumber) {
    if ('inline' in slot) {
      const inner = nested((each) => writeMessage(each, slot.inline, value));
      writeBytes(writer, number, inner);
    } else if (Object.hasOwn(value, slot.name)) writeField(writer, slot.field, value[slot.name]);
  }
}

function writeBytes(writer: Writer, number: number, bytes: Uint8Array): void {
  writer.tag(number, 2);
  writer.bytes(bytes);
}

function writeField(writer: Writer, field: Field, value: unknown): void {
  if (value === undefined || value === null) return;
  const { type, number } = field;
  if (type.type === 'list') {
    for (const item of value as readonly unknown[]) writeValue(writer, number, type.item, item);
  } else if (type.type === 'map') {
    for (const [key, item] of Object.entries(value as JsonObject)) {
      writeBytes(
        writer,
        number,
        nested((entry) => writeEntry(entry, key, type.value, item)),
      );
    }
  } else writeValue(writer, number, type, value);
}

function writeEntry(writer: Writer, key: string, type: FieldType, value: unknown): void {
  writer.tag(1, 2);
  writer.text(key);
  writeValue(writer, 2, type, value);
}

function writeValue(writer: Writer, number: number, type: FieldType, value: unknown): void {
  switch (type.type) {
    case 'object':
      return writeBytes(
        writer,
        number,
        nested((each) => writeMessage(each, type.message, value as JsonObject)),
      );
    case 'list':
    case 'map':
      throw new TypeError(`protobuf has no nested ${type.type}`);
    default:
      return writeScalar(writer, number, type.type, value);
  }
}

function writeScalar(writer: Writer, number: number, type: ScalarName, value: unknown): void {
  switch (type) {
    case 'bool':
      writer.tag(number, 0);
      return writer.unsigned(value === true ? 1 : 0);
    case 'int32':
    case 'int64':
      writer.tag(number, 0);
      return writer.signed(Number(value));
    case 'double':
      writer.tag(number, 1);
      return writer.double(Number(value));
    case 'bytes':
      return writeBytes(writer, number, Buffer.from(String(value), 'base64'));
    case 'string':
      return writeBytes(writer, number, Buffer.from(String(value)));
    default:
      return writeBytes(
        writer,
        number,
        nested((each) => writeBoxed(each, type, value)),
      );
  }
}

type Boxed = 'quantity' | 'intOrString' | 'time' | 'microTime' | 'rawExtension' | 'fieldsV1' | 'strings';

function writeBoxed(writer: Writer, type: Boxed, value: unknown): void {
  switch (type) {
    case 'quantity':
      return writeScalar(writer, 1, 'string', value);
    case 'intOrString':
      return writeIntOrString(writer, value);
    case 'time':
    case 'microTime':
      return writeTime(writer, String(value));
    case 'rawExtension':
    case 'fieldsV1':
      return writeScalar(writer, 1, 'string', JSON.stringify(value));
    case 'strings':
      for (const item of value as readonly string[]) writeScalar(writer, 1, 'string', item);
  }
}

function writeIntOrString(writer: Writer, value: unknown): void {
  const isText = typeof value === 'string';
  writeScalar(writer, 1, 'int32', isText ? 1 : 0);
  writeScalar(writer, 2, 'int32', isText ? 0 : value);
  writeScalar(writer, 3, 'string', isText ? value : '');
}

function writeTime(writer: Writer, value: string): void {
  const seconds = Math.floor(Date.parse(value) / 1000);
  const fraction = /\.(\d+)/.exec(value)?.[1] ?? '';
  writeScalar(writer, 1, 'int64', seconds);
  writeScalar(writer, 2, 'int32', Number(fraction.padEnd(9, '0').slice(0, 9)));
}

/** Encodes one message. */
export function encodeMessage<T>(message: Message<T>, value: T): Uint8Array {
  return nested((writer) => writeMessage(writer, message, value as JsonObject));
}
