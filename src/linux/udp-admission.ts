import { libc } from './libc.ts';

/**
 * What the kernel lets into the receive queue of a UDP socket: with a classic BPF program (linux/filter.h) it drops a share of what
 * some senders send, before that costs this process anything. Addresses are those of the IP header (`SKF_NET_OFF`).
 *
 * ```
 * for each sender:  ld [SKF_NET_OFF + source]    1 word for IPv4, 4 for IPv6
 *                   jeq word, 0, next sender
 *                   ld rand
 *                   jge share * 2^32, 1, 0
 *                   ret all
 *                   ret 0
 * ret all
 * ```
 */
export interface Admission {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** Of its datagrams, 0 to 1. */
  readonly share: number;
}

/** The receive queue of a socket. */
export interface ReceiveQueue {
  /** Memory in use; told late, in steps of a quarter, while the queue is being read. */
  readonly bytes: number;
  readonly mostBytes: number;
  /** Datagrams that did not fit or were not let in, so far: 32 bits that wrap around. */
  readonly dropped: number;
}

export function queueOf(fd: number): ReceiveQueue {
  const words = libc().getsockoptWords(fd, solSocket, soMemInfo, memInfoWords);
  return {
    bytes: words[receiveQueued] ?? 0,
    mostBytes: Math.max(1, words[receiveMost] ?? 1),
    dropped: words[drops] ?? 0,
  };
}

/** Puts these rules in place of all before; none lets everything in. All addresses are of the socket's family. */
export function admit(fd: number, rules: readonly Admission[]): void {
  if (rules.length === 0) return libc().setsockopt(fd, solSocket, soDetachFilter, 0);
  const program = programOf(rules);
  const pointer = Buffer.alloc(16);
  pointer.writeUInt16LE(program.length / instructionSize, 0);
  pointer.writeBigUInt64LE(libc().addressOf(program), 8);
  libc().setsockopt(fd, solSocket, soAttachFilter, pointer);
}

const solSocket = 1;
const soAttachFilter = 26;
const soDetachFilter = 27;
/** Nine words (linux/sock_diag.h), the first of them SK_MEMINFO_RMEM_ALLOC and SK_MEMINFO_RCVBUF, the last SK_MEMINFO_DROPS. */
const soMemInfo = 55;
const memInfoWords = 9;
const receiveQueued = 0;
const receiveMost = 1;
const drops = 8;

const instructionSize = 8;
const load = 0x20;
const jumpEqual = 0x15;
const jumpGreaterOrEqual = 0x35;
const give = 0x06;
const networkHeader = 0xfff0_0000;
const random = 0xffff_f000 + 56;
const all = 0xffff_ffff;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

function programOf(rules: readonly Admission[]): Buffer {
  const instructions = [...rules.flatMap(instructionsOf), [give, 0, 0, all] as const];
  const bytes = Buffer.alloc(instructions.length * instructionSize);
  for (const [index, [code, ifTrue, ifFalse, value]] of instructions.entries()) {
    const at = index * instructionSize;
    bytes.writeUInt16LE(code, at);
    bytes[at + 2] = ifTrue;
    bytes[at + 3] = ifFalse;
    bytes.writeUInt32LE(value, at + 4);
  }
  return bytes;
}

function instructionsOf({ address, share }: Admission): Instruction[] {
  const words = address.length / 4;
  const source = networkHeader + (words === 1 ? 12 : 8);
  const bytes = Buffer.from(address);
  const compare = Array.from({ length: words }, (_, word): Instruction[] => [
    [load, 0, 0, source + 4 * word],
    // Behind all that is left of this sender: two for each other word, and the four below.
    [jumpEqual, 0, 2 * (words - 1 - word) + 4, bytes.readUInt32BE(4 * word)],
  ]);
  const threshold = Math.min(all, Math.floor(share * 2 ** 32));
  return [
    ...compare.flat(),
    [load, 0, 0, random],
    [jumpGreaterOrEqual, 1, 0, threshold],
    [give, 0, 0, all],
    [give, 0, 0, 0],
  ];
}
