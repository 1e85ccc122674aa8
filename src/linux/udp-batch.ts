import { closeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import { formatIp, parseIp } from '../lib/ip.ts';
import { isErrno, SystemError } from './errno.ts';
import { libc } from './libc.ts';

/**
 * UDP read and written many datagrams to a system call (recvmmsg, sendmmsg) on the event loop: nothing runs while nothing
 * arrives. All memory is one mapping outside the JavaScript heap, so that the kernel can be given pointers once:
 *
 * ```
 * struct mmsghdr in[64]   64 bytes each: struct msghdr (56), length received
 * struct mmsghdr out[64]
 * struct iovec   in[64]   16 bytes each: base, length
 * struct iovec   out[64]
 * sockaddr       in[64]   32 bytes each
 * sockaddr       out[64]
 * bytes          in[64]   inSize each
 * bytes          out[64]  outSize each
 * ```
 */
const batchSize = 64;
const headerSize = 64;
const iovecSize = 16;
const peerSize = 32;
/** Largest datagram taken: longer ones are dropped, no request is that long. */
const inSize = 2048;
const outSize = 1280;

const afInet = 2;
const afInet6 = 10;
const sockDgramCloexec = 2 | 0o2000000;
const solSocket = 1;
const soReceiveBuffer = 8;
const soReceiveBufferForce = 33;
const soReusePort = 15;
const solUdp = 17;
const udpSegment = 103;
const ipProtoIpv6 = 41;
const ipv6Only = 26;
/** tcpmux: no resolver asks from it. */
const nobodysPort = 1;
const msgDontWait = 0x40;
const msgTruncated = 0x20;
const eagain = 11;

const offsets = {
  in: 0,
  out: batchSize * headerSize,
  inVector: 2 * batchSize * headerSize,
  outVector: batchSize * (2 * headerSize + iovecSize),
  inPeer: batchSize * (2 * headerSize + 2 * iovecSize),
  outPeer: batchSize * (2 * headerSize + 2 * iovecSize + peerSize),
  inBytes: batchSize * (2 * headerSize + 2 * iovecSize + 2 * peerSize),
  outBytes: batchSize * (2 * headerSize + 2 * iovecSize + 2 * peerSize + inSize),
  end: batchSize * (2 * headerSize + 2 * iovecSize + 2 * peerSize + inSize + outSize),
} as const;

/** Where an answer goes that comes later: a copy of the asker's socket address. */
export type Peer = Uint8Array;

/** The datagram being answered, in memory that holds all of a batch. Only valid during the call; one object for all. */
export interface Datagram {
  /** The memory, with the packet of `length` bytes at `at`, and 1280 bytes for the answer at `outAt`. */
  readonly bytes: Buffer;
  readonly at: number;
  readonly length: number;
  readonly outAt: number;
  /** Where the asker's socket address is, and its length. */
  readonly peerAt: number;
  readonly peerLength: number;
  /** The packet as a view. */
  packet(): Buffer;
  /** The address to `send` to later. */
  peer(): Peer;
}

/** Called for each datagram: writes an answer and returns its length; 0 for no answer now. */
export type OnDatagram = (datagram: Datagram) => number;

export interface UdpOptions {
  readonly address: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** Bytes of the receive queue, as far as the system allows. */
  readonly receiveBufferBytes?: number;
  /** Several sockets may share the address; the kernel spreads askers over them. */
  readonly reusePort?: boolean;
}

/** A bound UDP socket, open until disposed of. */
export interface BoundUdp extends Disposable {
  /** Good in every thread of the process. */
  readonly fd: number;
  readonly address: string;
  readonly port: number;
  /** One datagram to a peer of before. A full queue drops it, as the network might. */
  send(peer: Peer, data: Uint8Array): void;
  /** From now on `send` takes several datagrams one behind the other, each of so many bytes (UDP_SEGMENT, linux/udp.h). */
  sendSegments(bytes: number): void;
  /**
   * Lets no more datagrams come in: they go to another socket at the address, if there is one. What is in the queue stays.
   * Without effect for a socket at all addresses.
   */
  refuse(): void;
}

/** The reader of a bound socket, until disposed of. */
export interface UdpReading extends Disposable {
  /** Reads all that is in the queue now. */
  drain(): void;
}

/** Opens and binds a socket. Throws `SystemError`, or Error where not on Linux. */
export function bindUdp(options: UdpOptions): BoundUdp {
  const calls = loadCalls();
  const bytes = parseIp(options.address);
  if (bytes === undefined) throw new RangeError(`"${options.address}" is no address`);
  const system = libc();
  const fd = system.socket(bytes.length === 4 ? afInet : afInet6, sockDgramCloexec, 0);
  try {
    configure(fd, bytes.length === 16, options);
    system.bind(fd, socketAddress(bytes, options.port));
    const port = calls.boundPort(fd);
    return {
      fd,
      address: formatIp(bytes),
      port,
      send: (peer, data) => calls.sendto(fd, data, peer),
      sendSegments: (size) => system.setsockopt(fd, solUdp, udpSegment, size),
      refuse() {
        // A connected socket gets the datagrams of its peer only, and nobody sends from this one. Connecting would also give
        // a socket at all addresses one to answer from, the wrong one.
        if (bytes.every((byte) => byte === 0)) return;
        try {
          system.connect(fd, socketAddress(bytes, nobodysPort));
        } catch (error) {
          // The address has left this machine, and with it all that could come in.
          if (!isErrno(error, 'ENETUNREACH')) throw error;
        }
      },
      [Symbol.dispose]: () => closeSync(fd),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Calls `onDatagram` with what comes in at a bound socket, until disposed of; the socket stays open. `afterAll` is called
 * when everything that was there has been read.
 */
export function readUdp(fd: number, onDatagram: OnDatagram, afterAll?: () => void): UdpReading {
  const batch = new Batch(fd, loadCalls(), onDatagram);
  const stopPolling = libc().pollReadable(fd, () => {
    batch.drain();
    afterAll?.();
  });
  return {
    drain() {
      while (batch.drain());
      afterAll?.();
    },
    [Symbol.dispose]() {
      stopPolling();
      batch.release();
    },
  };
}

function configure(fd: number, isIpv6: boolean, { receiveBufferBytes, reusePort }: UdpOptions): void {
  const system = libc();
  if (isIpv6) system.setsockopt(fd, ipProtoIpv6, ipv6Only, 1);
  if (reusePort) system.setsockopt(fd, solSocket, soReusePort, 1);
  if (receiveBufferBytes === undefined) return;
  try {
    system.setsockopt(fd, solSocket, soReceiveBufferForce, receiveBufferBytes);
  } catch {
    // Without CAP_NET_ADMIN the limit net.core.rmem_max applies.
    system.setsockopt(fd, solSocket, soReceiveBuffer, receiveBufferBytes);
  }
}

/** The IP address in a peer's socket address, as canonical text. */
export function peerAddress(peer: Peer): string {
  return formatIp(peer.length === 16 ? peer.subarray(4, 8) : peer.subarray(8, 24));
}

/** `struct sockaddr_in` (16 bytes) or `sockaddr_in6` (28), linux/in.h. */
function socketAddress(address: Uint8Array, port: number): Buffer {
  const isIpv4 = address.length === 4;
  const bytes = Buffer.alloc(isIpv4 ? 16 : 28);
  bytes.writeUInt16LE(isIpv4 ? afInet : afInet6, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(address, isIpv4 ? 4 : 8);
  return bytes;
}

/** The calls of this file beyond what `libc.ts` has, and the memory they need. */
interface Calls {
  /** Messages received into the headers at an address; negative errno. */
  recvmmsg(fd: number, headers: number, count: number): number;
  sendmmsg(fd: number, headers: number, count: number): number;
  sendto(fd: number, data: Uint8Array, peer: Peer): void;
  boundPort(fd: number): number;
  /** Zeroed memory with its address. */
  map(length: number): { readonly memory: ArrayBuffer; readonly address: number; release(): void };
}

function loadCalls(): Calls {
  const koffi: typeof Koffi = createRequire(import.meta.url)('koffi');
  const library = koffi.load('libc.so.6');
  const recvmmsg = library.func('int recvmmsg(int, uint64_t, uint32_t, int, uint64_t)');
  const sendmmsg = library.func('int sendmmsg(int, uint64_t, uint32_t, int)');
  const sendto = library.func('int64_t sendto(int, const uint8_t *, size_t, int, const uint8_t *, uint32_t)');
  const getsockname = library.func('int getsockname(int, _Out_ uint8_t *, _Inout_ uint32_t *)');
  const mmap = library.func('void *mmap(void *, size_t, int, int, int, int64_t)');
  const munmap = library.func('int munmap(void *, size_t)');
  const checked = (result: number): number => (result < 0 ? -koffi.errno() : result);
  return {
    recvmmsg: (fd, headers, count) => checked(recvmmsg(fd, headers, count, msgDontWait, 0)),
    sendmmsg: (fd, headers, count) => checked(sendmmsg(fd, headers, count, msgDontWait)),
    sendto: (fd, data, peer) => void sendto(fd, data, data.length, msgDontWait, peer, peer.length),
    boundPort(fd) {
      const name = Buffer.alloc(peerSize);
      const result = checked(getsockname(fd, name, [peerSize]));
      if (result < 0) throw new SystemError('getsockname', -result);
      return name.readUInt16BE(2);
    },
    map(length) {
      const readWrite = 3;
      const privateAnonymous = 0x22;
      const pointer: bigint = mmap(null, length, readWrite, privateAnonymous, -1, 0);
      const address = Number(koffi.address(pointer));
      if (address === 0 || address === 2 ** 64) throw new SystemError('mmap', koffi.errno());
      return { memory: koffi.view(pointer, length), address, release: () => void munmap(pointer, length) };
    },
  };
}

/** The mapping of one socket and the loop over it. */
class Batch {
  readonly #fd: number;
  readonly #calls: Calls;
  readonly #onDatagram: OnDatagram;
  readonly #mapping: ReturnType<Calls['map']>;
  readonly #words: Uint32Array;
  readonly #bytes: Buffer;
  readonly #datagram: BatchDatagram;
  #isReleased = false;
  /** Some datagram at hand has no answer yet. */
  #isOwing = false;

  constructor(fd: number, calls: Calls, onDatagram: OnDatagram) {
    this.#fd = fd;
    this.#calls = calls;
    this.#onDatagram = onDatagram;
    this.#mapping = calls.map(offsets.end);
    const { memory } = this.#mapping;
    this.#words = new Uint32Array(memory);
    this.#bytes = Buffer.from(memory);
    this.#datagram = new BatchDatagram(this.#bytes);
    this.#layOut();
  }

  /** Reads until nothing is left, but lets others have the event loop after some batches: then returns true. */
  drain(): boolean {
    this.#isOwing = false;
    const isMore = this.#drain();
    // The promises of late answers go on after a callback of Node's own; this one is not.
    if (this.#isOwing) setImmediate(nothing);
    return isMore;
  }

  #drain(): boolean {
    for (let round = 0; round < 8; round += 1) {
      if (this.#isReleased) return false;
      const count = this.#calls.recvmmsg(this.#fd, this.#mapping.address + offsets.in, batchSize);
      // An error here is an ICMP message about an earlier answer, or nothing to read: both end by themselves.
      if (count <= 0) return false;
      this.#answer(count);
      if (count < batchSize) return false;
    }
    return true;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    // Not now: the caller may be inside `onDatagram`, reading this memory.
    setImmediate(() => this.#mapping.release());
  }

  /** Points every header at its slots. Pointers are written as two words: they never change again. */
  #layOut(): void {
    const view = new DataView(this.#mapping.memory);
    const pointer = (at: number, target: number): void =>
      view.setBigUint64(at, BigInt(this.#mapping.address + target), true);
    const header = (at: number, peer: number, vector: number, data: number, size: number): void => {
      pointer(at, peer);
      view.setUint32(at + 8, peerSize, true);
      pointer(at + 16, vector);
      view.setBigUint64(at + 24, 1n, true);
      pointer(vector, data);
      view.setBigUint64(vector + 8, BigInt(size), true);
    };
    for (let i = 0; i < batchSize; i += 1) {
      const place = (name: 'Peer' | 'Vector', side: 'in' | 'out', size: number): number =>
        offsets[`${side}${name}`] + i * size;
      const inAt = offsets.in + i * headerSize;
      const outAt = offsets.out + i * headerSize;
      header(
        inAt,
        place('Peer', 'in', peerSize),
        place('Vector', 'in', iovecSize),
        offsets.inBytes + i * inSize,
        inSize,
      );
      header(
        outAt,
        place('Peer', 'out', peerSize),
        place('Vector', 'out', iovecSize),
        offsets.outBytes + i * outSize,
        0,
      );
    }
  }

  #answer(count: number): void {
    let answers = 0;
    for (let i = 0; i < count; i += 1) {
      const header = (offsets.in + i * headerSize) >> 2;
      const length = this.#words[header + 14] ?? 0;
      const peerLength = this.#words[header + 2] ?? 0;
      const isWhole = ((this.#words[header + 12] ?? 0) & msgTruncated) === 0;
      // The kernel overwrote the space for the peer's address with its length.
      this.#words[header + 2] = peerSize;
      if (!isWhole) continue;
      const datagram = this.#datagram;
      datagram.at = offsets.inBytes + i * inSize;
      datagram.length = length;
      datagram.outAt = offsets.outBytes + answers * outSize;
      datagram.peerAt = offsets.inPeer + i * peerSize;
      datagram.peerLength = peerLength;
      const written = this.#onDatagram(datagram);
      if (written === 0) {
        this.#isOwing = true;
        continue;
      }
      this.#address(answers, datagram.peerAt, peerLength, written);
      answers += 1;
    }
    this.#send(answers);
  }

  /** Addresses the answer in slot `index` to the asker at `peerAt`. */
  #address(index: number, peerAt: number, peerLength: number, length: number): void {
    this.#bytes.copyWithin(offsets.outPeer + index * peerSize, peerAt, peerAt + peerLength);
    this.#words[(offsets.out + index * headerSize + 8) >> 2] = peerLength;
    this.#words[(offsets.outVector + index * iovecSize + 8) >> 2] = length;
  }

  #send(count: number): void {
    let sent = 0;
    while (sent < count) {
      const headers = this.#mapping.address + offsets.out + sent * headerSize;
      const result = this.#calls.sendmmsg(this.#fd, headers, count - sent);
      if (result === -eagain) return;
      // Only the first of the rest can have failed: an asker that cannot be reached. The others go on.
      sent += result > 0 ? result : 1;
    }
  }
}

function nothing(): void {}

class BatchDatagram implements Datagram {
  readonly bytes: Buffer;
  at = 0;
  length = 0;
  outAt = 0;
  peerAt = 0;
  peerLength = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  packet(): Buffer {
    return this.bytes.subarray(this.at, this.at + this.length);
  }

  peer(): Peer {
    return Uint8Array.from(this.bytes.subarray(this.peerAt, this.peerAt + this.peerLength));
  }
}
