import { closeSync } from 'node:fs';
import { formatIp, parseIp } from '../lib/ip.ts';
import { isErrno } from './errno.ts';
import { libc } from './libc.ts';

/**
 * The first half of an SCTP association (RFC 9260 5.1) over raw sockets: an INIT and the INIT ACK that answers it. Enough to
 * see where a network sends associations, also on kernels that have no SCTP sockets. For tests.
 *
 * ```
 * source port 2 │ destination port 2 │ verification tag 4 │ CRC32c 4 │ chunk type 1 · flags 1 · length 2 │ initiate tag 4
 * window 4 │ streams out 2 · in 2 │ first TSN 4 │ INIT ACK only: cookie parameter, type 7 · length 2 · text
 * ```
 */

const SCTP = 132;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const INIT = 1;
const INIT_ACK = 2;
const cookieParameter = 7;
const chunkAt = 12;
const cookieAt = chunkAt + 20;

/** What an INIT or INIT ACK says. */
export interface SctpPacket {
  readonly type: 'init' | 'init-ack';
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** 0 in an INIT; in its answer the initiate tag of the INIT. */
  readonly verificationTag: number;
  readonly initiateTag: number;
  /** The state cookie of an INIT ACK, as text. */
  readonly cookie: string;
}

/** The bytes of a packet, with its checksum. */
export function writeSctp(packet: SctpPacket): Buffer {
  const cookie = Buffer.from(packet.cookie);
  const cookieLength = packet.type === 'init' ? 0 : 4 + cookie.length;
  const bytes = Buffer.alloc(cookieAt + ((cookieLength + 3) & ~3));
  bytes.writeUInt16BE(packet.sourcePort, 0);
  bytes.writeUInt16BE(packet.destinationPort, 2);
  bytes.writeUInt32BE(packet.verificationTag, 4);
  bytes.writeUInt8(packet.type === 'init' ? INIT : INIT_ACK, chunkAt);
  bytes.writeUInt16BE(20 + cookieLength, chunkAt + 2);
  bytes.writeUInt32BE(packet.initiateTag, chunkAt + 4);
  bytes.writeUInt32BE(65_536, chunkAt + 8);
  bytes.writeUInt16BE(1, chunkAt + 12);
  bytes.writeUInt16BE(1, chunkAt + 14);
  bytes.writeUInt32BE(1, chunkAt + 16);
  if (cookieLength > 0) {
    bytes.writeUInt16BE(cookieParameter, cookieAt);
    bytes.writeUInt16BE(cookieLength, cookieAt + 2);
    cookie.copy(bytes, cookieAt + 4);
  }
  bytes.writeUInt32LE(crc32c(bytes), 8);
  return bytes;
}

/** Inverse of `writeSctp`; undefined for other chunks, and when the checksum is wrong. */
export function readSctp(bytes: Buffer): SctpPacket | undefined {
  const chunk = bytes[chunkAt];
  if (bytes.length < cookieAt || (chunk !== INIT && chunk !== INIT_ACK)) return undefined;
  const zeroed = Buffer.from(bytes);
  zeroed.writeUInt32LE(0, 8);
  if (crc32c(zeroed) !== bytes.readUInt32LE(8)) return undefined;
  const hasCookie = bytes.length > cookieAt + 4 && bytes.readUInt16BE(cookieAt) === cookieParameter;
  return {
    type: chunk === INIT ? 'init' : 'init-ack',
    sourcePort: bytes.readUInt16BE(0),
    destinationPort: bytes.readUInt16BE(2),
    verificationTag: bytes.readUInt32BE(4),
    initiateTag: bytes.readUInt32BE(chunkAt + 4),
    cookie: hasCookie ? bytes.toString('utf8', cookieAt + 4, cookieAt + bytes.readUInt16BE(cookieAt + 2)) : '',
  };
}

/**
 * Answers every INIT to `address` and `port` with an INIT ACK whose cookie is `name` and the caller's address. Returns a
 * function that ends it. Needs CAP_NET_RAW.
 */
export function serveSctp(address: string, port: number, name: string): () => void {
  const fd = openRaw(address);
  libc().bind(fd, rawAddress(address));
  return readPackets(fd, (packet, source) => {
    if (packet.type !== 'init' || packet.destinationPort !== port) return;
    const answer = openRaw(source);
    libc().bind(answer, rawAddress(address));
    libc().connect(answer, rawAddress(source));
    send(answer, {
      type: 'init-ack',
      sourcePort: port,
      destinationPort: packet.sourcePort,
      verificationTag: packet.initiateTag,
      initiateTag: 0x5eed,
      cookie: `${name} ${source}`,
    });
    closeSync(answer);
  });
}

/** Sends an INIT; the cookie that answers it, `refused` (ICMP port unreachable), or `timeout`. Needs CAP_NET_RAW. */
export function callSctp(address: string, port: number, sourcePort: number, timeoutMs: number): Promise<string> {
  const fd = openRaw(address);
  // Only packets from this address arrive here: an answer that kept the backend's would not.
  libc().connect(fd, rawAddress(address));
  return new Promise((resolve) => {
    const timer = setTimeout(() => end('timeout'), timeoutMs);
    const stop = readPackets(
      fd,
      (packet) => {
        const isAnswer = packet.type === 'init-ack' && packet.sourcePort === port;
        if (isAnswer && packet.destinationPort === sourcePort && packet.verificationTag === sourcePort)
          end(packet.cookie);
      },
      () => end('refused'),
    );
    const end = (text: string): void => {
      clearTimeout(timer);
      stop();
      resolve(text);
    };
    const tags = { verificationTag: 0, initiateTag: sourcePort };
    send(fd, { type: 'init', sourcePort, destinationPort: port, ...tags, cookie: '' });
  });
}

function send(fd: number, packet: SctpPacket): void {
  const bytes = writeSctp(packet);
  libc().send(fd, bytes, bytes.length, 0);
}

function openRaw(address: string): number {
  return libc().socket(address.includes(':') ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, SCTP);
}

/** `sockaddr_in` or `sockaddr_in6` without a port. */
export function rawAddress(address: string): Buffer {
  const isIpv6 = address.includes(':');
  const bytes = Buffer.alloc(isIpv6 ? 28 : 16);
  bytes.writeUInt16LE(isIpv6 ? AF_INET6 : AF_INET, 0);
  bytes.set(parseIp(address) ?? [], isIpv6 ? 8 : 4);
  return bytes;
}

/** Calls `visit` for each packet with its sender. Returns a function that closes. */
function readPackets(
  fd: number,
  visit: (packet: SctpPacket, source: string) => void,
  onRefused: () => void = () => undefined,
): () => void {
  const end = new AbortController();
  const drain = (): void => {
    while (!end.signal.aborted) {
      const received = receive(fd);
      if (received === 'nothing') return;
      if (received === 'refused') return onRefused();
      if (received.packet !== undefined) visit(received.packet, received.source);
    }
  };
  const stopPolling = libc().pollReadable(fd, () => void setImmediate(drain));
  return () => {
    if (end.signal.aborted) return;
    end.abort();
    stopPolling();
    closeSync(fd);
  };
}

type Received = { readonly packet: SctpPacket | undefined; readonly source: string } | 'nothing' | 'refused';

function receive(fd: number): Received {
  const bytes = Buffer.alloc(2048);
  const address = Buffer.alloc(28);
  try {
    const length = libc().recvFrom(fd, bytes, MSG_DONTWAIT, address);
    const isIpv6 = address.readUInt16LE(0) === AF_INET6;
    const source = formatIp(isIpv6 ? address.subarray(8, 24) : address.subarray(4, 8));
    // IPv4 gives the IP header too, IPv6 does not.
    return { packet: readSctp(bytes.subarray(isIpv6 ? 0 : ((bytes[0] ?? 0) & 0xf) * 4, length)), source };
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return 'nothing';
    // Nobody on the port, or nobody who speaks SCTP at all.
    if (isErrno(error, 'ECONNREFUSED') || isErrno(error, 'ENOPROTOOPT')) return 'refused';
    throw error;
  }
}

/** CRC32c (Castagnoli), reflected, as SCTP wants it (RFC 9260 appendix A). */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : 0x82f63b78);
  }
  return ~crc >>> 0;
}
