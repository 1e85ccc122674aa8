import { formatIp, parseIp, unmapIp } from '../lib/ip.ts';
import { isErrno } from './errno.ts';
import { type Message, MessageWriter, messageFlags } from './netlink/message.ts';
import { NetlinkSocket, netlinkProtocol } from './netlink/socket.ts';

/*
 * Sockets of a network namespace as the kernel lists them, and their end (sock_diag(7), linux/inet_diag.h).
 *
 *   request   family u8 | protocol u8 | extensions u8 | 0 u8 | states u32 | id 48 bytes | bytecode attribute
 *   answer    family u8 | state u8 | timer u8 | retransmits u8 | id 48 bytes | …
 *   id        source port, destination port (u16 be) | source 16 | destination 16 | interface u32 | cookie u64
 */
const SOCK_DIAG_BY_FAMILY = 20;
const SOCK_DESTROY = 21;
const INET_DIAG_REQ_BYTECODE = 1;
const BYTECODE_JUMP = 1;
const BYTECODE_DESTINATION = 8;
const AF_INET = 2;
const AF_INET6 = 10;
const idBytes = 48;
const protocolNumbers = { TCP: 6, UDP: 17 } as const;
/** Bits of `enum tcp_states`: a TCP peer is known but in LISTEN, CLOSE and TIME_WAIT; a UDP socket that is connected. */
const connectedStates = {
  TCP: (1 << 1) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 5) | (1 << 8) | (1 << 9) | (1 << 11),
  UDP: 1 << 1,
} as const;
/** Conditions of one dump: the kernel checks a program in quadratic time, and jumps are 16 bits. */
const conditionsPerDump = 128;
const destroysPerBatch = 1024;

/** One end of a connection. */
export interface SocketAddress {
  /** Canonical text; IPv4 also when the socket is an IPv6 one that talks IPv4. */
  readonly address: string;
  readonly port: number;
}

/** A connected socket. */
export interface ConnectedSocket {
  readonly protocol: 'TCP' | 'UDP';
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** What bpf_get_socket_cookie() gives for it: unique on the machine. */
  readonly cookie: bigint;
}

interface Found extends ConnectedSocket {
  readonly family: number;
  readonly id: Buffer;
}

/** Opens sock_diag in the thread's network namespace. An open socket keeps that namespace alive. */
export function openSockDiag(): NetlinkSocket {
  return new NetlinkSocket(netlinkProtocol.sockDiag, 'sock_diag', 1 << 20);
}

/**
 * Sockets of the socket's network namespace that are connected to one of the remote ends (or on the way to be): IPv4,
 * IPv6, and IPv6 sockets that talk IPv4. The kernel chooses, so the cost of what does not match stays there.
 */
export function findSockets(
  socket: NetlinkSocket,
  protocol: 'TCP' | 'UDP',
  remotes: readonly SocketAddress[],
): readonly ConnectedSocket[] {
  return find(socket, protocol, remotes);
}

/** All connected TCP sockets of the socket's network namespace. */
export function listConnections(socket: NetlinkSocket): readonly ConnectedSocket[] {
  return [AF_INET, AF_INET6].flatMap((family) => dump(socket, family, 'TCP'));
}

/**
 * Ends the sockets that are connected to one of the remote ends and that `isMeant` says yes to: their owners get
 * ECONNABORTED, a TCP peer a reset. Returns how many; those that went by themselves meanwhile do not count. Needs
 * CAP_NET_ADMIN and CONFIG_INET_DIAG_DESTROY (Linux 4.9), else throws `SystemError` (EPERM, EOPNOTSUPP).
 *
 * An address alone may also be called directly, by no Service: `isMeant` tells those apart.
 */
export function destroySockets(
  socket: NetlinkSocket,
  protocol: 'TCP' | 'UDP',
  remotes: readonly SocketAddress[],
  isMeant: (found: ConnectedSocket) => boolean = () => true,
): number {
  const meant = find(socket, protocol, remotes).filter(isMeant);
  let destroyed = 0;
  for (let at = 0; at < meant.length; at += destroysPerBatch) {
    destroyed += destroy(socket, meant.slice(at, at + destroysPerBatch));
  }
  return destroyed;
}

function find(socket: NetlinkSocket, protocol: 'TCP' | 'UDP', remotes: readonly SocketAddress[]): Found[] {
  const found: Found[] = [];
  for (let at = 0; at < remotes.length; at += conditionsPerDump) {
    const some = remotes.slice(at, at + conditionsPerDump);
    const families = some.every(({ address }) => address.includes(':')) ? [AF_INET6] : [AF_INET, AF_INET6];
    for (const family of families) found.push(...dump(socket, family, protocol, some));
  }
  return found;
}

/** Connected sockets; with `remotes`, those to one of them. */
function dump(
  socket: NetlinkSocket,
  family: number,
  protocol: 'TCP' | 'UDP',
  remotes: readonly SocketAddress[] = [],
): Found[] {
  const found: Found[] = [];
  socket.dump(
    SOCK_DIAG_BY_FAMILY,
    'list sockets',
    (writer) => writeRequest(writer, family, protocol, remotes),
    (message) => found.push(readSocket(message, protocol)),
  );
  return found;
}

function writeRequest(
  writer: MessageWriter,
  family: number,
  protocol: 'TCP' | 'UDP',
  remotes: readonly SocketAddress[],
): void {
  writer.u8(family).u8(protocolNumbers[protocol]).u8(0).u8(0).u32(connectedStates[protocol]);
  writer.raw(new Uint8Array(idBytes));
  if (remotes.length > 0) writer.attribute(INET_DIAG_REQ_BYTECODE, anyOf(remotes));
}

/**
 * The kernel's filter program for "connected to one of these": a condition and a jump to the end (which accepts) for each;
 * behind the last, four bytes past the end (which refuses).
 */
function anyOf(remotes: readonly SocketAddress[]): Uint8Array {
  const addresses = remotes.map(({ address }) => bytesOf(address));
  const jumpBytes = 4;
  let rest = addresses.reduce((sum, { length }) => sum + conditionBytes(length) + jumpBytes, 0);
  const program = new MessageWriter(rest);
  for (const [at, { port }] of remotes.entries()) {
    const bytes = addresses[at] ?? new Uint8Array();
    const isLast = at === remotes.length - 1;
    const own = conditionBytes(bytes.length);
    program
      .u8(BYTECODE_DESTINATION)
      .u8(own)
      .u16(own + jumpBytes + (isLast ? 4 : 0));
    program
      .u8(bytes.length === 4 ? AF_INET : AF_INET6)
      .u8(bytes.length * 8)
      .u16(0)
      .u32(port)
      .raw(bytes);
    rest -= own;
    program.u8(BYTECODE_JUMP).u8(jumpBytes).u16(rest);
    rest -= jumpBytes;
  }
  return program.written();
}

function conditionBytes(addressBytes: number): number {
  return 12 + addressBytes;
}

function bytesOf(address: string): Uint8Array {
  const bytes = parseIp(address);
  if (bytes === undefined) throw new RangeError(`${address} is not an IP address`);
  return unmapIp(bytes);
}

function readSocket({ payload }: Message, protocol: 'TCP' | 'UDP'): Found {
  const family = payload.readUInt8(0);
  const id = Buffer.from(payload.subarray(4, 4 + idBytes));
  const text = (at: number) =>
    formatIp(family === AF_INET ? id.subarray(at, at + 4) : unmapIp(id.subarray(at, at + 16)));
  return {
    protocol,
    family,
    id,
    local: { address: text(4), port: id.readUInt16BE(0) },
    remote: { address: text(20), port: id.readUInt16BE(2) },
    cookie: id.readBigUInt64LE(40),
  };
}

function destroy(socket: NetlinkSocket, found: readonly Found[]): number {
  const writer = new MessageWriter(found.length * 72);
  let sequence = 0;
  for (const { family, protocol, id } of found) {
    sequence = socket.nextSequence();
    const start = writer.begin(SOCK_DESTROY, messageFlags.request | messageFlags.ack, sequence);
    writer.u8(family).u8(protocolNumbers[protocol]).u8(0).u8(0).u32(connectedStates[protocol]).raw(id).end(start);
  }
  const refused = socket.exchange(writer.written(), sequence, 'destroy sockets').map(({ error }) => error);
  const failure = refused.find((error) => !isErrno(error, 'ENOENT'));
  if (failure !== undefined) throw failure;
  return found.length - refused.length;
}
