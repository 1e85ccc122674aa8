import { parseIp } from '../../lib/ip.ts';
import type { Transport } from '../client.ts';

/** A question with its answer, as a collector is told of them. */
export interface Tapped {
  readonly transport: Transport;
  /** Canonical text. */
  readonly clientAddress: string;
  /** Unix milliseconds. */
  readonly askedMs: number;
  readonly answeredMs: number;
  readonly query: Uint8Array;
  readonly response: Uint8Array;
}

/** Numbers of dnstap.proto: the types of messages, and of protocols. */
const clientQuery = 5;
const clientResponse = 6;
const protocols: Readonly<Record<Transport, number>> = { udp: 1, tcp: 2, tls: 3, https: 4 };
const messageType = 1;

/** Protocol Buffers wire types. */
const varint = 0;
const bytes = 2;
const fixed32 = 5;

/** The question as a `Dnstap` message (dnstap.proto, dnstap.info): CLIENT_QUERY. */
export function encodeQuery(tapped: Tapped, identity: Uint8Array, version: Uint8Array): Uint8Array {
  return envelope(identity, version, [...common(tapped, clientQuery), field(10, bytes, tapped.query)]);
}

/** The answer as a `Dnstap` message: CLIENT_RESPONSE, with the time of the question. */
export function encodeResponse(tapped: Tapped, identity: Uint8Array, version: Uint8Array): Uint8Array {
  return envelope(identity, version, [
    ...common(tapped, clientResponse),
    ...time(12, tapped.answeredMs),
    field(14, bytes, tapped.response),
  ]);
}

function common({ transport, clientAddress, askedMs }: Tapped, type: number): Uint8Array[] {
  const address = parseIp(clientAddress) ?? new Uint8Array(4);
  return [
    field(1, varint, type),
    field(2, varint, address.length === 4 ? 1 : 2),
    field(3, varint, protocols[transport]),
    field(4, bytes, address),
    ...time(8, askedMs),
  ];
}

/** Seconds in the field of this number, nanoseconds in the next. */
function time(number: number, ms: number): Uint8Array[] {
  const seconds = Math.floor(ms / 1000);
  return [field(number, varint, seconds), field(number + 1, fixed32, Math.floor((ms - seconds * 1000) * 1e6))];
}

function envelope(identity: Uint8Array, version: Uint8Array, message: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([
    ...(identity.length > 0 ? [field(1, bytes, identity)] : []),
    ...(version.length > 0 ? [field(2, bytes, version)] : []),
    field(14, bytes, Buffer.concat(message)),
    field(15, varint, messageType),
  ]);
}

function field(number: number, type: typeof bytes, value: Uint8Array): Uint8Array;
function field(number: number, type: typeof varint | typeof fixed32, value: number): Uint8Array;
function field(number: number, type: number, value: Uint8Array | number): Uint8Array {
  const tag = encodeVarint(number * 8 + type);
  if (typeof value !== 'number') return Buffer.concat([tag, encodeVarint(value.length), value]);
  if (type === varint) return Buffer.concat([tag, encodeVarint(value)]);
  const fixed = Buffer.alloc(4);
  fixed.writeUInt32LE(value);
  return Buffer.concat([tag, fixed]);
}

/** Up to 2^53. */
function encodeVarint(value: number): Uint8Array {
  const digits: number[] = [];
  let left = value;
  while (left >= 128) {
    digits.push((left % 128) + 128);
    left = Math.floor(left / 128);
  }
  return Uint8Array.from([...digits, left]);
}
