import type { PrebuiltMemory } from '../prebuilt/reader.ts';
import type { Peer } from '../../linux/udp-batch.ts';

/** What a thread answers from. */
export interface ThreadSource {
  readonly memory: PrebuiltMemory;
  readonly recursionAvailable: boolean;
  /** Share of what it answers that the main thread gets a copy of: 0 to 1. */
  readonly shadowShare: number;
}

/** To a thread; `id` numbers its sockets. */
export type Order =
  /** Answer what comes in at a bound socket. */
  | {
      readonly type: 'serve';
      readonly id: number;
      readonly fd: number;
      readonly shared: SharedArrayBuffer;
      /** Of a `QueryTally`. */
      readonly tally: SharedArrayBuffer;
    }
  /** From now on answer from this; undefined leaves everything to the main thread. */
  | { readonly type: 'become'; readonly id: number; readonly source: ThreadSource | undefined }
  /** Let go of the socket, and say so. */
  | { readonly type: 'stop'; readonly id: number }
  /** Let go of everything and end. */
  | { readonly type: 'end' };

/** From a thread. */
export type Report =
  /** Questions that have no answer ready, packed by `packQuestion`. */
  | { readonly type: 'questions'; readonly id: number; readonly packed: Uint8Array }
  /** So many questions were too many. */
  | { readonly type: 'dropped'; readonly id: number; readonly count: number }
  /** What the last `become` that has not been told of says is in force. */
  | { readonly type: 'became'; readonly id: number }
  | { readonly type: 'stopped'; readonly id: number };

/** Words that a thread and the main one share for a socket: how many questions are under way. */
export const sharedWords = { underWay: 0, words: 1 } as const;

/** Questions of one socket that the main thread has at most: all that may be under way there, and as many that it has not seen. */
export const mostUnderWay = 4096;

/** Questions of one socket that wait for that in the thread. */
export const mostWaiting = 1024;

/** Bit of the peer's length: the question has its answer, and is only to be followed. */
const answeredBit = 0x80;

/** Bytes of a packed question: 2 of the packet's length, 1 of the peer's, both. */
export function packedSize(packetLength: number, peer: Peer): number {
  return 3 + peer.length + packetLength;
}

/** `isAnswered`: the main thread is to follow it, and not to answer. */
export function packQuestion(into: Buffer, at: number, packet: Uint8Array, peer: Peer, isAnswered: boolean): void {
  into.writeUInt16LE(packet.length, at);
  into[at + 2] = peer.length | (isAnswered ? answeredBit : 0);
  into.set(peer, at + 3);
  into.set(packet, at + 3 + peer.length);
}

/** Calls `each` with the packed question at `at`, whose packet is a view; returns where the next one is. */
export function unpackQuestion(
  packed: Buffer,
  at: number,
  each: (packet: Buffer, peer: Peer, isAnswered: boolean) => void,
): number {
  const peerLength = packed[at + 2] ?? 0;
  const peerEnd = at + 3 + (peerLength & ~answeredBit);
  const end = peerEnd + packed.readUInt16LE(at);
  each(packed.subarray(peerEnd, end), packed.subarray(at + 3, peerEnd), (peerLength & answeredBit) !== 0);
  return end;
}
