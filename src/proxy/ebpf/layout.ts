import { formatIp, isIpv4Mapped, parseIp, unmapIp } from '../../lib/ip.ts';
import type { Frontend, Protocol } from '../../routing/frontend.ts';
import { backendName, parseBackendName } from '../backend-name.ts';

/**
 * Keys and values of the maps, as the structs in `src/linux/bpf/socket.bpf.c` have them: addresses of 16 bytes (IPv4 as
 * `::ffff:a.b.c.d`) and ports in network order, all else little-endian.
 *
 * ```
 * endpoint   address 16 · protocol 1 · any address 1 · port 2
 * range      prefix length 4 · endpoint
 * entry      frontend · backends of the first buckets 4×20
 * frontend   generation 4 · number 4 · counter 4 · buckets 4 · affinity 4 · by client 1 · in turn 1 · keeps port 1 · resets 1 · ports 2+2
 * backend    address 16 · port 2 · slot 2
 * place      generation 4 · bucket after the first, or slot with the highest bit, 4
 * caller     is node 4 · hash of IPv4 address 4 · of IPv6 address 4
 * call       socket cookie 8 · backend 20 · 4 → called 20 · 4 · namespace cookie 8
 * ```
 */

const protocolNumbers = { TCP: 6, UDP: 17 } as const;
/** Set in the index of a place: it is a slot's. */
const slotFlag = 0x8000_0000;
const endpointBytes = 20;
/** How many buckets are in the frontend's entry itself; `backends` has the others, and slots. */
export const firstBuckets = 4;
const frontendBytes = 28;
const backendBytes = 20;
/** Bits of an endpoint before its port. */
const bitsBeforePort = (endpointBytes - 2) * 8;

/** What is called: one port of one address, or of every address of the node (undefined). */
export interface Endpoint {
  readonly family: Frontend['family'];
  readonly address: string | undefined;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
}

/** An entry of `frontends` or `ranges`, but for its backends. */
export interface FrontendEntry {
  readonly generation: number;
  readonly number: number;
  /** Its place in `counters`. */
  readonly counter: number;
  readonly buckets: number;
  readonly affinitySeconds: number;
  readonly isByClient: boolean;
  readonly isInTurn: boolean;
  /** TCP connections to a backend that went are reset some time: the programs remember them for that. */
  readonly hasResets: boolean;
  readonly firstPort: number;
  /** Undefined for a single port; else connections keep the port that was called. */
  readonly lastPort: number | undefined;
}

/** From the pool: `Buffer.alloc` would make an allocation of its own for each of hundreds of thousands of keys. */
function zeroed(length: number): Buffer {
  return Buffer.allocUnsafe(length).fill(0);
}

/** 16 bytes. */
export function addressKey(address: string): Buffer {
  const bytes = parseIp(address);
  if (bytes === undefined) throw new RangeError(`${address} is not an IP address`);
  const key = zeroed(16);
  key.set(bytes, 16 - bytes.length);
  if (bytes.length === 4) key.fill(0xff, 10, 12);
  return key;
}

function readAddress(bytes: Uint8Array): { readonly family: Frontend['family']; readonly address: string } {
  return { family: isIpv4Mapped(bytes) ? 'IPv4' : 'IPv6', address: formatIp(unmapIp(bytes)) };
}

export function isSocketProtocol(protocol: Protocol): protocol is 'TCP' | 'UDP' {
  return protocol in protocolNumbers;
}

export function endpointKey({ family, address, port, protocol }: Endpoint): Buffer {
  const key = zeroed(endpointBytes);
  addressKey(address ?? (family === 'IPv4' ? '0.0.0.0' : '::')).copy(key);
  key.writeUInt8(protocolNumbers[protocol], 16);
  key.writeUInt8(address === undefined ? 1 : 0, 17);
  key.writeUInt16BE(port, 18);
  return key;
}

export function readEndpoint(key: Buffer): Endpoint {
  const { family, address } = readAddress(key.subarray(0, 16));
  return {
    family,
    address: key.readUInt8(17) === 1 ? undefined : address,
    port: key.readUInt16BE(18),
    protocol: key.readUInt8(16) === protocolNumbers.TCP ? 'TCP' : 'UDP',
  };
}

/** A range of ports as prefixes, from its first port up. */
export function rangeKeys(first: Endpoint, lastPort: number): Buffer[] {
  const keys: Buffer[] = [];
  for (let port = first.port; port <= lastPort;) {
    let size = 1;
    while (port % (size * 2) === 0 && port + size * 2 - 1 <= lastPort) size *= 2;
    const key = zeroed(4 + endpointBytes);
    key.writeUInt32LE(bitsBeforePort + 16 - Math.log2(size));
    endpointKey({ ...first, port }).copy(key, 4);
    keys.push(key);
    port += size;
  }
  return keys;
}

export function readRangeKey(key: Buffer): Endpoint {
  return readEndpoint(key.subarray(4));
}

/** With the values of its first backends, at most `firstBuckets`. */
export function frontendValue(entry: FrontendEntry, first: readonly Buffer[] = []): Buffer {
  const value = zeroed(frontendBytes + firstBuckets * backendBytes);
  value.writeUInt32LE(entry.generation, 0);
  value.writeUInt32LE(entry.number, 4);
  value.writeUInt32LE(entry.counter, 8);
  value.writeUInt32LE(entry.buckets, 12);
  value.writeUInt32LE(entry.affinitySeconds, 16);
  value.writeUInt8(Number(entry.isByClient), 20);
  value.writeUInt8(Number(entry.isInTurn), 21);
  value.writeUInt8(Number(entry.lastPort !== undefined), 22);
  value.writeUInt8(Number(entry.hasResets), 23);
  value.writeUInt16LE(entry.firstPort, 24);
  value.writeUInt16LE(entry.lastPort ?? entry.firstPort, 26);
  first.forEach((backend, bucket) => backend.copy(value, frontendBytes + bucket * backendBytes));
  return value;
}

export function readFrontendValue(value: Buffer): FrontendEntry {
  return {
    generation: value.readUInt32LE(0),
    number: value.readUInt32LE(4),
    counter: value.readUInt32LE(8),
    buckets: value.readUInt32LE(12),
    affinitySeconds: value.readUInt32LE(16),
    isByClient: value.readUInt8(20) === 1,
    isInTurn: value.readUInt8(21) === 1,
    hasResets: value.readUInt8(23) === 1,
    firstPort: value.readUInt16LE(24),
    lastPort: value.readUInt8(22) === 1 ? value.readUInt16LE(26) : undefined,
  };
}

/** The names of the backends that are in a frontend's value. */
export function readFirstBackends(value: Buffer): string[] {
  const buckets = Math.min(readFrontendValue(value).buckets, firstBuckets);
  return Array.from({ length: buckets }, (_, bucket) =>
    readBackendValue(value.subarray(frontendBytes + bucket * backendBytes)),
  );
}

export function bucketKey(generation: number, bucket: number): Buffer {
  const key = zeroed(8);
  key.writeUInt32LE(generation, 0);
  key.writeUInt32LE(bucket, 4);
  return key;
}

export function slotKey(generation: number, slot: number): Buffer {
  return bucketKey(generation, slotFlag + slot);
}

export function readPlaceKey(key: Buffer): { readonly generation: number; readonly index: number; isSlot: boolean } {
  const index = key.readUInt32LE(4);
  return { generation: key.readUInt32LE(0), index: index % slotFlag, isSlot: index >= slotFlag };
}

export function backendValue(name: string, slot: number): Buffer {
  const { address, port } = parseBackendName(name);
  const value = zeroed(backendBytes);
  addressKey(address).copy(value);
  value.writeUInt16BE(port, 16);
  value.writeUInt16LE(slot, 18);
  return value;
}

/** The backend's name. */
export function readBackendValue(value: Buffer): string {
  return backendName({ address: readAddress(value.subarray(0, 16)).address, port: value.readUInt16BE(16) });
}

export function numberKey(number: number): Buffer {
  const key = zeroed(4);
  key.writeUInt32LE(number);
  return key;
}

/** The sum over all processors. */
export function readCounter(value: Buffer): number {
  let sum = 0n;
  for (let at = 0; at < value.length; at += 8) sum += value.readBigUInt64LE(at);
  return Number(sum);
}

export function cookieKey(cookie: bigint): Buffer {
  const key = zeroed(8);
  key.writeBigUInt64LE(cookie);
  return key;
}

/** What a socket got in the place of what it called. */
export interface SocketCall {
  /** The socket's, as `bpf_get_socket_cookie()` and sock_diag give it. */
  readonly cookie: bigint;
  /** The network namespace's. */
  readonly namespace: bigint;
  readonly called: Endpoint;
  readonly backend: Endpoint;
}

export function readCall(key: Buffer, value: Buffer): SocketCall {
  return {
    cookie: key.readBigUInt64LE(0),
    namespace: value.readBigUInt64LE(24),
    called: readEndpoint(value),
    backend: readEndpoint(key.subarray(8)),
  };
}

export function callerValue(isNode: boolean, hashes: Readonly<Record<Frontend['family'], number>>): Buffer {
  const value = zeroed(12);
  value.writeUInt32LE(Number(isNode), 0);
  value.writeUInt32LE(hashes.IPv4, 4);
  value.writeUInt32LE(hashes.IPv6, 8);
  return value;
}
