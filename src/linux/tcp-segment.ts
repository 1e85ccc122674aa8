import { closeSync } from 'node:fs';
import { parseIp } from '../lib/ip.ts';
import { libc } from './libc.ts';
import { rawAddress } from './sctp.ts';

/** TCP segments made by hand, such as no socket sends. For tests. */

const TCP = 6;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;

/** One end of a connection. */
export interface TcpEnd {
  readonly address: string;
  readonly port: number;
}

/** Sends segments without data, with ACK set and these sequence numbers. Needs CAP_NET_RAW. Throws `SystemError`. */
export function sendTcpSegments(from: TcpEnd, to: TcpEnd, sequences: readonly number[]): void {
  const fd = libc().socket(from.address.includes(':') ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, TCP);
  try {
    libc().bind(fd, rawAddress(from.address));
    libc().connect(fd, rawAddress(to.address));
    for (const sequence of sequences) {
      const segment = writeSegment(from, to, sequence);
      libc().send(fd, segment, segment.length, 0);
    }
  } finally {
    closeSync(fd);
  }
}

/** RFC 9293, 3.1, checksum included. */
function writeSegment(from: TcpEnd, to: TcpEnd, sequence: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt16BE(from.port, 0);
  bytes.writeUInt16BE(to.port, 2);
  bytes.writeUInt32BE(sequence, 4);
  bytes.writeUInt32BE((sequence ^ 0x80000000) >>> 0, 8);
  bytes.writeUInt16BE(0x5010, 12);
  bytes.writeUInt16BE(8, 14);
  const tail = Buffer.from([0, TCP, 0, bytes.length]);
  const pseudo = Buffer.concat([
    parseIp(from.address) ?? Buffer.alloc(0),
    parseIp(to.address) ?? Buffer.alloc(0),
    tail,
  ]);
  bytes.writeUInt16BE(internetChecksum(Buffer.concat([pseudo, bytes])), 16);
  return bytes;
}

function internetChecksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
