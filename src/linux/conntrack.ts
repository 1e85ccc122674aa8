import { formatIp } from '../lib/ip.ts';
import { isErrno } from './errno.ts';
import { type Message, type MessageWriter, readAttributes } from './netlink/message.ts';
import type { NetlinkSocket } from './netlink/socket.ts';

const subsystem = 1 << 8;
const GET = 1;
const DELETE = 2;
const CTA = { ORIGINAL: 1, REPLY: 2, ZONE: 18, FILTER: 25 } as const;
const TUPLE = { IP: 1, PROTO: 2 } as const;
const IP = { V4_SRC: 1, V4_DST: 2, V6_SRC: 3, V6_DST: 4 } as const;
const PROTO = { NUMBER: 1, SOURCE_PORT: 2, DESTINATION_PORT: 3 } as const;
const filterOriginal = 1;
const filterReply = 2;
const filterByProtocol = 1 << 3;

/** One direction of a tracked connection. */
export interface Tuple {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** A connection as the kernel tracks it: what its client sent, and what the answer looks like before translation. */
export interface TrackedConnection {
  readonly family: 'IPv4' | 'IPv6';
  readonly original: Tuple;
  readonly reply: Tuple;
  /** The attributes that name the entry, for `deleteConnection`. */
  readonly identity: Buffer;
}

/** Calls `visit` for each tracked connection of an IP protocol number, chosen by the kernel (Linux 5.8). */
export function eachConnection(
  socket: NetlinkSocket,
  family: 'IPv4' | 'IPv6',
  protocol: number,
  visit: (connection: TrackedConnection) => void,
): void {
  const build = (writer: MessageWriter) => {
    writer
      .u8(family === 'IPv4' ? 2 : 10)
      .u8(0)
      .u16be(0);
    const tuple = writer.nest(CTA.ORIGINAL);
    const proto = writer.nest(TUPLE.PROTO);
    writer.attributeU8(PROTO.NUMBER, protocol).endNest(proto).endNest(tuple);
    const filter = writer.nest(CTA.FILTER);
    writer.attributeU32(filterOriginal, filterByProtocol).attributeU32(filterReply, 0).endNest(filter);
  };
  socket.dump(subsystem | GET, 'list connections', build, (message) => {
    const connection = readConnection(message, family);
    if (connection !== undefined) visit(connection);
  });
}

/** Forgets a connection: its next packet is looked at as if it were the first. False when it was gone already. */
export function deleteConnection(socket: NetlinkSocket, connection: TrackedConnection): boolean {
  try {
    socket.request(subsystem | DELETE, 0, 'delete connection', (writer) => {
      writer
        .u8(connection.family === 'IPv4' ? 2 : 10)
        .u8(0)
        .u16be(0);
      writer.raw(connection.identity);
    });
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

function readConnection({ payload }: Message, family: 'IPv4' | 'IPv6'): TrackedConnection | undefined {
  const attributes = readAttributes(payload, 4);
  const original = attributes.get(CTA.ORIGINAL);
  const reply = attributes.get(CTA.REPLY);
  if (original === undefined || reply === undefined) return undefined;
  const zone = attributes.get(CTA.ZONE);
  const identity = Buffer.concat([
    header(CTA.ORIGINAL | 0x8000, original),
    zone ? header(CTA.ZONE, zone) : Buffer.alloc(0),
  ]);
  return { family, original: readTuple(original), reply: readTuple(reply), identity };
}

function header(type: number, data: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + ((data.length + 3) & ~3));
  bytes.writeUInt16LE(4 + data.length, 0);
  bytes.writeUInt16LE(type, 2);
  data.copy(bytes, 4);
  return bytes;
}

function readTuple(data: Buffer): Tuple {
  const parts = readAttributes(data);
  const ip = readAttributes(parts.get(TUPLE.IP) ?? Buffer.alloc(0));
  const proto = readAttributes(parts.get(TUPLE.PROTO) ?? Buffer.alloc(0));
  const address = (v4: number, v6: number) => formatIp(ip.get(v4) ?? ip.get(v6) ?? Buffer.alloc(4));
  return {
    source: address(IP.V4_SRC, IP.V6_SRC),
    destination: address(IP.V4_DST, IP.V6_DST),
    sourcePort: proto.get(PROTO.SOURCE_PORT)?.readUInt16BE(0) ?? 0,
    destinationPort: proto.get(PROTO.DESTINATION_PORT)?.readUInt16BE(0) ?? 0,
  };
}
