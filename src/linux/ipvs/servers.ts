import { formatIp, parseIp } from '../../lib/ip.ts';
import { type MessageWriter, readAttributes, readString } from '../netlink/message.ts';

/** IP protocol numbers that IPVS balances. */
export type IpvsProtocol = 6 | 17 | 132;

/** What a virtual server takes: connections to an address and port, or whatever carries a mark when it comes in. */
export type VirtualServerId =
  | {
      readonly family: 'IPv4' | 'IPv6';
      readonly protocol: IpvsProtocol;
      readonly address: string;
      readonly port: number;
    }
  | { readonly family: 'IPv4' | 'IPv6'; readonly mark: number };

export interface VirtualServer {
  readonly id: VirtualServerId;
  /** Name without `ip_vs_`: `rr`. Its module is loaded on demand. */
  readonly scheduler: string;
  /** For `sh` and `mh`: a client whose server is out of service gets another (IP_VS_SVC_F_SCHED_SH_FALLBACK). */
  readonly hasFallback: boolean;
  /** A client goes where it went before until it was away for this long; undefined for no such memory. */
  readonly persistenceSeconds: number | undefined;
}

/** A virtual server as the kernel has it. */
export interface ListedVirtualServer extends VirtualServer {
  /** Connections it has taken since it was made. */
  readonly connections: number;
}

/** Where a virtual server sends connections, by address translation. */
export interface RealServer {
  readonly address: string;
  /** 0 keeps the port that was called (only under a mark). */
  readonly port: number;
  /** Relative share; 0 gets no new connection. */
  readonly weight: number;
}

export interface ListedRealServer extends RealServer {
  readonly activeConnections: number;
  /** Being opened or closed; for UDP all of them. */
  readonly inactiveConnections: number;
}

const SERVER = { AF: 1, PROTOCOL: 2, ADDRESS: 3, PORT: 4, MARK: 5, SCHEDULER: 6, FLAGS: 7, TIMEOUT: 8, NETMASK: 9 };
const SERVER_STATS64 = 12;
const STATS_CONNECTIONS = 1;
const REAL = { ADDRESS: 1, PORT: 2, FORWARD: 3, WEIGHT: 4, UPPER: 5, LOWER: 6, ACTIVE: 7, INACTIVE: 8, FAMILY: 11 };
const persistent = 0x1;
const fallback = 0x8;
/** Flags that user space decides on; the rest is the kernel's. */
const flagMask = persistent | fallback | 0x34;
const families = { IPv4: 2, IPv6: 10 } as const;

/** Writes what names a virtual server, and with `server` its settings, into an open nest. */
export function writeServer(writer: MessageWriter, id: VirtualServerId, server?: VirtualServer): void {
  writer.attributeU16(SERVER.AF, families[id.family]);
  if ('mark' in id) {
    writer.attributeU32(SERVER.MARK, id.mark);
  } else {
    writer.attributeU16(SERVER.PROTOCOL, id.protocol);
    writer.attribute(SERVER.ADDRESS, addressBytes(id.address)).attribute(SERVER.PORT, portBytes(id.port));
  }
  if (server === undefined) return;
  const flags = Buffer.alloc(8);
  flags.writeUInt32LE(
    (server.persistenceSeconds === undefined ? 0 : persistent) | (server.hasFallback ? fallback : 0),
    0,
  );
  flags.writeUInt32LE(flagMask, 4);
  writer.attributeString(SERVER.SCHEDULER, server.scheduler).attribute(SERVER.FLAGS, flags);
  writer.attributeU32(SERVER.TIMEOUT, server.persistenceSeconds ?? 0);
  writer.attributeU32(SERVER.NETMASK, id.family === 'IPv4' ? 0xffffffff : 128);
}

/** Writes what names a real server, and unless `isNamed` its settings, into an open nest. */
export function writeReal(writer: MessageWriter, real: RealServer, isNamed = false): void {
  const bytes = addressBytes(real.address);
  writer.attributeU16(REAL.FAMILY, bytes.length === 4 ? families.IPv4 : families.IPv6);
  writer.attribute(REAL.ADDRESS, bytes).attribute(REAL.PORT, portBytes(real.port));
  if (isNamed) return;
  // Forwarding method 0 is address translation; thresholds of 0 are none.
  writer.attributeU32(REAL.FORWARD, 0).attributeU32(REAL.WEIGHT, real.weight);
  writer.attributeU32(REAL.UPPER, 0).attributeU32(REAL.LOWER, 0);
}

/** Reads the inside of a listed service; undefined for a protocol that is none of ours. */
export function readServer(nest: Buffer): ListedVirtualServer | undefined {
  const found = readAttributes(nest);
  const id = readId(found);
  if (id === undefined) return undefined;
  const flags = found.get(SERVER.FLAGS)?.readUInt32LE(0) ?? 0;
  const stats = readAttributes(found.get(SERVER_STATS64) ?? Buffer.alloc(0));
  return {
    id,
    scheduler: readString(found.get(SERVER.SCHEDULER)),
    hasFallback: (flags & fallback) !== 0,
    persistenceSeconds: (flags & persistent) === 0 ? undefined : found.get(SERVER.TIMEOUT)?.readUInt32LE(0),
    connections: Number(stats.get(STATS_CONNECTIONS)?.readBigUInt64LE(0) ?? 0n),
  };
}

/** Reads the inside of a listed destination of a virtual server of the family. */
export function readReal(nest: Buffer, family: 'IPv4' | 'IPv6'): ListedRealServer {
  const found = readAttributes(nest);
  const number = (type: number) => found.get(type)?.readUInt32LE(0) ?? 0;
  const isIpv4 = (found.get(REAL.FAMILY)?.readUInt16LE(0) ?? families[family]) === families.IPv4;
  return {
    address: readAddress(found.get(REAL.ADDRESS), isIpv4),
    port: found.get(REAL.PORT)?.readUInt16BE(0) ?? 0,
    weight: number(REAL.WEIGHT),
    activeConnections: number(REAL.ACTIVE),
    inactiveConnections: number(REAL.INACTIVE),
  };
}

function readId(found: ReadonlyMap<number, Buffer>): VirtualServerId | undefined {
  const family = found.get(SERVER.AF)?.readUInt16LE(0) === families.IPv4 ? 'IPv4' : 'IPv6';
  const mark = found.get(SERVER.MARK)?.readUInt32LE(0);
  if (mark !== undefined) return { family, mark };
  const protocol = found.get(SERVER.PROTOCOL)?.readUInt16LE(0);
  if (protocol !== 6 && protocol !== 17 && protocol !== 132) return undefined;
  const address = readAddress(found.get(SERVER.ADDRESS), family === 'IPv4');
  return { family, protocol, address, port: found.get(SERVER.PORT)?.readUInt16BE(0) ?? 0 };
}

/** The kernel lists every address in 16 bytes. */
function readAddress(bytes: Buffer | undefined, isIpv4: boolean): string {
  return formatIp((bytes ?? Buffer.alloc(16)).subarray(0, isIpv4 ? 4 : 16));
}

function addressBytes(address: string): Uint8Array {
  const bytes = parseIp(address);
  if (bytes === undefined) throw new RangeError(`${address} is not an IP address`);
  return bytes;
}

function portBytes(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(port);
  return bytes;
}
