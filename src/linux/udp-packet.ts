import { closeSync } from 'node:fs';
import { libc } from './libc.ts';
import { rawAddress } from './sctp.ts';

/** UDP packets made by hand: from any port, also 0, and from any address of this machine, also one that others use. For tests. */

const UDP = 17;
const AF_INET = 2;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;

/** One end of a datagram. */
export interface UdpEnd {
  readonly address: string;
  readonly port: number;
}

/** Sends datagrams over IPv4 without a checksum (RFC 768). Needs CAP_NET_RAW. Throws `SystemError`. */
export function sendUdpPackets(from: UdpEnd, to: UdpEnd, datagrams: readonly Uint8Array[]): void {
  const fd = libc().socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, UDP);
  try {
    libc().bind(fd, rawAddress(from.address));
    libc().connect(fd, rawAddress(to.address));
    for (const data of datagrams) {
      const packet = Buffer.alloc(8 + data.length);
      packet.writeUInt16BE(from.port, 0);
      packet.writeUInt16BE(to.port, 2);
      packet.writeUInt16BE(packet.length, 4);
      packet.set(data, 8);
      libc().send(fd, packet, packet.length, 0);
    }
  } finally {
    closeSync(fd);
  }
}
