import { parseIp } from '../lib/ip.ts';
import { libc } from './libc.ts';

/** Blocking IPv4 sockets of the calling thread, for measuring handshakes without an event loop in between. */

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_LINGER = 13;

/** `sockaddr_in` (ip(7)) of an IPv4 address and port. */
export function socketAddress(address: string, port: number): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(parseIp(address) ?? [], 4);
  return bytes;
}

/** A socket that listens, in the thread's network namespace. Throws `SystemError`. */
export function openListener(address: string, port: number): number {
  const fd = libc().socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  libc().setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  libc().bind(fd, socketAddress(address, port));
  libc().listen(fd, 64);
  return fd;
}

/** A socket that can connect from a port of its own; closing it resets, so that the port is free again. */
export function openCaller(address: string, port: number): number {
  const fd = libc().socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  libc().setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  // struct linger { on, seconds }
  libc().setsockopt(fd, SOL_SOCKET, SO_LINGER, Buffer.from(Int32Array.of(1, 0).buffer));
  libc().bind(fd, socketAddress(address, port));
  return fd;
}

/** Milliseconds from the call of connect(2) to its return: one handshake. */
export function timeConnect(caller: number, to: Uint8Array): number {
  const { connect } = libc();
  const startMs = performance.now();
  connect(caller, to);
  return performance.now() - startMs;
}

/** Takes the next connection of a listener; it must be there already, or the thread blocks. */
export function acceptConnection(listener: number): number {
  return libc().accept(listener);
}
