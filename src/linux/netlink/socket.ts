import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { isErrno, SystemError } from '../errno.ts';
import { libc } from '../libc.ts';
import { type Message, MessageWriter, messageFlags, readAttributes, readMessages, readString } from './message.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const MSG_DONTWAIT = 0x40;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const extendedAckPresent = 0x200;
/** NLM_F_DUMP_INTR: what is listed changed between two pieces of the list. */
const interrupted = 0x10;
/** How often a list is asked for anew because it changed meanwhile. */
const maxListings = 50;
const extendedAckText = 1;

/** Netlink families (linux/netlink.h). */
export const netlinkProtocol = { route: 0, sockDiag: 4, netfilter: 12, generic: 16 } as const;

/** One request of a batch that the kernel refused. */
export interface Refusal {
  /** Sequence number of the refused message. */
  readonly sequence: number;
  readonly error: SystemError;
}

interface Answers {
  readonly answers: readonly Message[];
  readonly error: SystemError | undefined;
}

/** Opens a bound netlink socket with extended acknowledgements; the caller closes the descriptor. */
function openBound(protocol: number): number {
  const c = libc();
  const fd = c.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  c.bind(fd, address);
  c.setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
  c.setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
  return fd;
}

/** Larger buffers when the privileges are there; without them the kernel's defaults stay. */
function enlargeBuffers(fd: number, bytes: number): void {
  for (const option of [SO_SNDBUFFORCE, SO_RCVBUFFORCE]) {
    try {
      libc().setsockopt(fd, SOL_SOCKET, option, bytes);
    } catch (error) {
      if (!isErrno(error, 'EPERM')) throw error;
    }
  }
}

/** The error of an acknowledgement, or undefined for success. */
function acknowledgement(message: Message, what: string): SystemError | undefined {
  const errno = -message.payload.readInt32LE(0);
  if (errno === 0) return undefined;
  const text =
    (message.flags & extendedAckPresent) === 0
      ? ''
      : readString(readAttributes(message.payload, 20).get(extendedAckText));
  return new SystemError(what, errno, text);
}

/**
 * A socket for requests. The kernel carries out a netlink request inside `send` and queues the answer before `send`
 * returns, so requests are synchronous: nothing here ever waits for anyone but the kernel.
 *
 * It belongs to the network namespace in which it was opened, whatever the thread does later.
 */
export class NetlinkSocket {
  readonly #fd: number;
  readonly #name: string;
  readonly #buffer = Buffer.allocUnsafe(128 * 1024);
  #sequence = 1;
  #closed = false;

  constructor(protocol: number, name: string, bufferBytes = 4 << 20) {
    this.#name = name;
    this.#fd = openBound(protocol);
    enlargeBuffers(this.#fd, bufferBytes);
  }

  /** The sequence number for the next message. */
  nextSequence(): number {
    this.#sequence = (this.#sequence + 1) >>> 0;
    return this.#sequence;
  }

  /** Sends one message and waits for its acknowledgement. Throws `SystemError` with the kernel's own text. */
  request(type: number, flags: number, what: string, build: (writer: MessageWriter) => void): void {
    const writer = new MessageWriter(512);
    const sequence = this.nextSequence();
    const start = writer.begin(type, messageFlags.request | messageFlags.ack | flags, sequence);
    build(writer);
    writer.end(start);
    this.#send(writer.written(), what);
    const { error } = this.#receiveUntil(sequence, what);
    if (error !== undefined) throw error;
  }

  /**
   * Sends a dump (or get) request and hands every answer to `visit`; payloads are valid only inside the call. The kernel
   * gives a long list in pieces and says when it changed between them: entries may be missing then, so nothing of it is
   * handed on and it is asked for again. Throws `SystemError` EINTR when it never stands still.
   */
  dump(
    type: number,
    what: string,
    build: (writer: MessageWriter) => void,
    visit: (message: Message) => void,
    flags: number = messageFlags.dump,
  ): void {
    for (let listings = 0; listings < maxListings; listings += 1) {
      const { answers, error } = this.#ask(type, what, build, flags);
      if (error === undefined && answers.some((answer) => (answer.flags & interrupted) !== 0)) continue;
      for (const answer of answers) if (answer.type !== NLMSG_DONE) visit(answer);
      if (error !== undefined) throw error;
      return;
    }
    throw new SystemError(what, constants.errno.EINTR, `it changed each of ${maxListings} times`);
  }

  /**
   * Sends messages that were built with `nextSequence`, then reads acknowledgements until that of `lastSequence`, or
   * until nothing more is queued (a refused batch may not acknowledge its end). Returns what was refused.
   */
  exchange(messages: Uint8Array, lastSequence: number, what: string): Refusal[] {
    this.#send(messages, what);
    const refused: Refusal[] = [];
    for (;;) {
      const datagram = this.#receiveQueued(what);
      if (datagram === undefined) return refused;
      for (const message of readMessages(datagram)) {
        if (message.type !== NLMSG_ERROR) continue;
        const error = acknowledgement(message, what);
        if (error !== undefined) refused.push({ sequence: message.sequence, error });
        else if (message.sequence === lastSequence) return refused;
      }
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #send(messages: Uint8Array, what: string): void {
    try {
      libc().send(this.#fd, messages, messages.length, 0);
    } catch (error) {
      throw error instanceof SystemError ? new SystemError(what, error.errno, 'send') : error;
    }
  }

  /** All answers to a request, the end of a list among them, and what the kernel refused after them. */
  #ask(type: number, what: string, build: (writer: MessageWriter) => void, flags: number): Answers {
    const writer = new MessageWriter(512);
    const sequence = this.nextSequence();
    const ack = flags === messageFlags.dump ? 0 : messageFlags.ack;
    const start = writer.begin(type, messageFlags.request | flags | ack, sequence);
    build(writer);
    writer.end(start);
    this.#send(writer.written(), what);
    return this.#receiveUntil(sequence, what);
  }

  /** The next queued datagram; undefined when there is none. */
  #receiveQueued(what: string): Buffer | undefined {
    try {
      return this.#buffer.subarray(0, libc().recv(this.#fd, this.#buffer, MSG_DONTWAIT));
    } catch (error) {
      if (isErrno(error, 'EAGAIN')) return undefined;
      throw error instanceof SystemError ? new SystemError(what, error.errno, `${this.#name} receive`) : error;
    }
  }

  #receiveUntil(sequence: number, what: string): Answers {
    const answers: Message[] = [];
    for (;;) {
      const datagram = Buffer.from(this.#buffer.subarray(0, libc().recv(this.#fd, this.#buffer, 0)));
      for (const message of readMessages(datagram)) {
        if (message.sequence !== sequence) continue;
        if (message.type !== NLMSG_ERROR) answers.push(message);
        if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE)
          return { answers, error: message.payload.length >= 4 ? acknowledgement(message, what) : undefined };
      }
    }
  }
}
