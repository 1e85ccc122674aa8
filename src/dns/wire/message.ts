import { readEdns } from './edns.ts';
import type { Edns } from './edns.ts';
import { readName } from './names.ts';
import type { Name } from './names.ts';
import { readRdata } from './rdata.ts';
import { typeNumbers } from './types.ts';

/** A resource record; `rdata` is wire format with every name whole. */
export interface ResourceRecord {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
  /** Seconds: 0 to 2^31-1. */
  readonly ttl: number;
  readonly rdata: Uint8Array;
}

export interface Question {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
}

/** A whole DNS message. OPT is not among the additional records. */
export interface Message {
  readonly id: number;
  /** The second word of the header: QR, opcode, AA, TC, RD, RA, Z, AD, CD, RCODE. */
  readonly flags: number;
  /** 12 bits: with the upper ones of EDNS. */
  readonly rcode: number;
  readonly questions: readonly Question[];
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  readonly edns: Edns | undefined;
}

/** Why a packet is not a message. */
export type Malformed = 'short' | 'question' | 'record' | 'edns';

interface Cursor {
  readonly packet: Buffer;
  at: number;
}

/** Reads a whole message. Never throws: whatever the bytes are, the answer is a message or what is wrong with them. */
export function readMessage(bytes: Uint8Array): Message | { readonly malformed: Malformed } {
  const packet = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (packet.length < 12) return { malformed: 'short' };
  const cursor: Cursor = { packet, at: 12 };
  const questions = readMany(cursor, packet.readUInt16BE(4), readQuestion);
  if (questions === undefined) return { malformed: 'question' };
  const answers = readMany(cursor, packet.readUInt16BE(6), readRecord);
  const authorities = answers && readMany(cursor, packet.readUInt16BE(8), readRecord);
  const extra = authorities && readMany(cursor, packet.readUInt16BE(10), readRecord);
  if (answers === undefined || authorities === undefined || extra === undefined) return { malformed: 'record' };
  const edns = ednsOf(extra);
  if (edns === 'malformed') return { malformed: 'edns' };
  const flags = packet.readUInt16BE(2);
  return {
    id: packet.readUInt16BE(0),
    flags,
    rcode: (flags & 15) | ((edns?.extendedRcode ?? 0) << 4),
    questions,
    answers,
    authorities,
    additionals: extra.filter((record) => record.type !== typeNumbers.OPT),
    edns,
  };
}

/** The one OPT record there may be; its owner must be the root (RFC 6891 6.1.1). */
function ednsOf(records: readonly ResourceRecord[]): Edns | undefined | 'malformed' {
  const [opt, ...more] = records.filter((record) => record.type === typeNumbers.OPT);
  if (opt === undefined) return undefined;
  if (more.length > 0 || opt.name !== '\0') return 'malformed';
  return readEdns(opt.class, opt.ttl, opt.rdata) ?? 'malformed';
}

function readMany<T>(cursor: Cursor, count: number, read: (cursor: Cursor) => T | undefined): T[] | undefined {
  const items: T[] = [];
  for (let i = 0; i < count; i += 1) {
    const item = read(cursor);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}

function readQuestion(cursor: Cursor): Question | undefined {
  const read = readName(cursor.packet, cursor.at);
  if (read === undefined || read.end + 4 > cursor.packet.length) return undefined;
  cursor.at = read.end + 4;
  return {
    name: read.name,
    type: cursor.packet.readUInt16BE(read.end),
    class: cursor.packet.readUInt16BE(read.end + 2),
  };
}

function readRecord(cursor: Cursor): ResourceRecord | undefined {
  const { packet } = cursor;
  const read = readName(packet, cursor.at);
  if (read === undefined || read.end + 10 > packet.length) return undefined;
  const type = packet.readUInt16BE(read.end);
  const start = read.end + 10;
  const end = start + packet.readUInt16BE(read.end + 8);
  if (end > packet.length) return undefined;
  const rdata = readRdata(packet, type, start, end);
  if (rdata === undefined) return undefined;
  cursor.at = end;
  const ttl = packet.readUInt32BE(read.end + 4);
  // A TTL with the top bit set counts as zero (RFC 2181 8); OPT uses all 32 bits for other things.
  const seconds = ttl > 0x7fffffff && type !== typeNumbers.OPT ? 0 : ttl;
  return { name: read.name, type, class: packet.readUInt16BE(read.end + 2), ttl: seconds, rdata };
}
