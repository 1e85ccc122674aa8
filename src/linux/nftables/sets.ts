import type { MessageWriter } from '../netlink/message.ts';
import { type NftVerdict, writeCounter, writeValue, writeVerdict } from './expressions.ts';
import { type ByteOrder, commentData, setUserData } from './userdata.ts';

/** Data types of keys and data as `nft` knows them: number, bytes, byte order (libnftables datatype.h). */
const fieldTypes = {
  ipv4_addr: { code: 7, length: 4, order: 'network' },
  ipv6_addr: { code: 8, length: 16, order: 'network' },
  inet_proto: { code: 12, length: 1, order: 'network' },
  inet_service: { code: 13, length: 2, order: 'network' },
  mark: { code: 19, length: 4, order: 'host' },
} as const;

export type FieldType = keyof typeof fieldTypes;

/** A set (no `data`) or map of a table. Several fields are a concatenation: each is padded to 4 bytes. */
export interface SetSpec {
  readonly name: string;
  readonly key: readonly FieldType[];
  readonly data?: readonly FieldType[] | 'verdict';
  /** Elements are ranges: of the last field when there are several. */
  readonly interval?: boolean;
  /** Rules add elements, which expire. */
  readonly dynamic?: boolean;
  /** Each element counts the packets that found it. */
  readonly isCounted?: boolean;
  /** Most elements it may hold; without it there is no limit. */
  readonly size?: number;
}

/** One element to add. For an interval, `keyEnd` is the last address (concatenation) or the first one after (single). */
export interface SetElement {
  readonly key: Uint8Array;
  readonly keyEnd?: Uint8Array;
  readonly data?: Uint8Array | NftVerdict;
  readonly comment?: string;
  /** Packets to go on counting from, in a set that counts. */
  readonly packets?: bigint;
}

const SET = {
  TABLE: 1,
  NAME: 2,
  FLAGS: 3,
  KEY_TYPE: 4,
  KEY_LEN: 5,
  DATA_TYPE: 6,
  DATA_LEN: 7,
  DESC: 9,
  ID: 10,
} as const;
const SET_USERDATA = 13;
const SET_EXPRESSION = 17;
const FLAG = { interval: 0x4, map: 0x8, timeout: 0x10, dynamic: 0x20, concat: 0x80 } as const;
const ELEMENT = { KEY: 1, DATA: 2, FLAGS: 3, USERDATA: 6, EXPRESSION: 7, KEY_END: 10 } as const;
const verdictType = 0xffffff00;
const intervalEndFlag = 1;

function padded(length: number): number {
  return (length + 3) & ~3;
}

/** Bytes a key or data of these fields occupies. */
export function widthOf(fields: readonly FieldType[]): number {
  const only = fields.length === 1 ? fields[0] : undefined;
  if (only !== undefined) return fieldTypes[only].length;
  return fields.reduce((total, field) => total + padded(fieldTypes[field].length), 0);
}

function typeCode(fields: readonly FieldType[]): number {
  return fields.reduce((code, field) => (code << 6) | fieldTypes[field].code, 0);
}

function orderOf(fields: readonly FieldType[]): ByteOrder {
  const only = fields.length === 1 ? fields[0] : undefined;
  return only === undefined ? 'concatenation' : fieldTypes[only].order;
}

function flagsOf(spec: SetSpec): number {
  let flags = spec.data === undefined ? 0 : FLAG.map;
  if (spec.interval === true) flags |= spec.key.length > 1 ? FLAG.interval | FLAG.concat : FLAG.interval;
  if (spec.dynamic === true) flags |= FLAG.dynamic | FLAG.timeout;
  return flags;
}

/** Writes the attributes of a new set. */
export function writeSet(writer: MessageWriter, table: string, spec: SetSpec, id: number): void {
  writer.attributeString(SET.TABLE, table).attributeString(SET.NAME, spec.name);
  writer.attributeU32be(SET.FLAGS, flagsOf(spec));
  writer.attributeU32be(SET.KEY_TYPE, typeCode(spec.key)).attributeU32be(SET.KEY_LEN, widthOf(spec.key));
  if (spec.data !== undefined) writeDataType(writer, spec.data);
  writer.attributeU32be(SET.ID, id);
  writeDescription(writer, spec);
  const dataOrder =
    spec.data === undefined ? undefined : spec.data === 'verdict' ? 'concatenation' : orderOf(spec.data);
  writer.attribute(SET_USERDATA, setUserData(orderOf(spec.key), dataOrder));
  if (spec.isCounted === true) writeExpression(writer, SET_EXPRESSION, 0n);
}

function writeExpression(writer: MessageWriter, type: number, packets: bigint): void {
  const nest = writer.nest(type);
  writeCounter(writer, packets);
  writer.endNest(nest);
}

function writeDataType(writer: MessageWriter, data: readonly FieldType[] | 'verdict'): void {
  writer.attributeU32be(SET.DATA_TYPE, data === 'verdict' ? verdictType : typeCode(data));
  writer.attributeU32be(SET.DATA_LEN, data === 'verdict' ? 0 : widthOf(data));
}

/** Size, and for ranges of concatenations the length of each field. */
function writeDescription(writer: MessageWriter, spec: SetSpec): void {
  const fields = spec.interval === true && spec.key.length > 1 ? spec.key : [];
  if (spec.size === undefined && fields.length === 0) return;
  const description = writer.nest(SET.DESC);
  if (spec.size !== undefined) writer.attributeU32be(1, spec.size);
  const concat = fields.length > 0 ? writer.nest(2) : undefined;
  for (const field of fields) {
    const element = writer.nest(1);
    writer.attributeU32be(1, fieldTypes[field].length).endNest(element);
  }
  if (concat !== undefined) writer.endNest(concat);
  writer.endNest(description);
}

/** Writes one element into an open list of elements. A single-field interval becomes a start and an end marker. */
export function writeElement(writer: MessageWriter, spec: SetSpec, element: SetElement): void {
  const isSingleInterval = spec.interval === true && spec.key.length === 1;
  const item = writer.nest(1);
  writeValue(writer, ELEMENT.KEY, element.key);
  if (element.keyEnd !== undefined && !isSingleInterval) writeValue(writer, ELEMENT.KEY_END, element.keyEnd);
  if (element.data instanceof Uint8Array) writeValue(writer, ELEMENT.DATA, element.data);
  else if (element.data !== undefined) writeVerdict(writer, ELEMENT.DATA, element.data);
  if (element.comment !== undefined) writer.attribute(ELEMENT.USERDATA, commentData(element.comment));
  if (element.packets !== undefined) writeExpression(writer, ELEMENT.EXPRESSION, element.packets);
  writer.endNest(item);
  if (isSingleInterval && element.keyEnd !== undefined) {
    const end = writer.nest(1);
    writer.attributeU32be(ELEMENT.FLAGS, intervalEndFlag);
    writeValue(writer, ELEMENT.KEY, element.keyEnd);
    writer.endNest(end);
  }
}
