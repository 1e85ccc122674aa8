import { createSocket } from 'node:dgram';
import { randomInt } from 'node:crypto';
import { connect } from 'node:net';
import type { SocketAddress } from '../config.ts';
import { createFrames } from '../listen/tcp-frames.ts';
import { writeEdns } from '../wire/edns.ts';
import { readMessage } from '../wire/message.ts';
import type { Message, Question } from '../wire/message.ts';
import { nameKey } from '../wire/names.ts';
import { flags } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';

/** A request as it goes out, and what identifies its answer. */
export interface Request {
  readonly packet: Uint8Array;
  readonly id: number;
  readonly question: Question;
}

export interface ExchangeOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** A way of asking one server. Rejects with Error when no answer comes in time. */
export type Exchange = (request: Request, options: ExchangeOptions) => Promise<Message>;

/** A request with an id that nobody can guess. */
export function requestFor(
  question: Question,
  { dnssecOk, checkingDisabled }: { readonly dnssecOk: boolean; readonly checkingDisabled: boolean },
): Request {
  const id = randomInt(0x10000);
  const packet = writeMessage({
    id,
    flags: flags.RD | (checkingDisabled ? flags.CD : 0),
    questions: [question],
    opt: writeEdns(0, dnssecOk),
  });
  return { packet, id, question };
}

/** Asks a server once. Rejects with Error when no answer comes in time. */
type ExchangeWith = (server: SocketAddress, request: Request, options: ExchangeOptions) => Promise<Message>;

/** What carries questions to other servers. */
export interface Network {
  readonly udp: ExchangeWith;
  readonly tcp: ExchangeWith;
}

/** Asks over UDP, and again over TCP when the answer was cut. Rejects with Error when no answer comes. */
export async function exchange(
  server: SocketAddress,
  request: Request,
  options: ExchangeOptions,
  { udp, tcp }: Network,
): Promise<Message> {
  const answer = await udp(server, request, options);
  return (answer.flags & flags.TC) === 0 ? answer : tcp(server, request, options);
}

/**
 * Asks once over UDP, from a port of its own: with the id, that is what a forger must guess. Packets that are no answer to
 * this request are passed over (RFC 5452 9).
 */
export function exchangeUdp(server: SocketAddress, request: Request, options: ExchangeOptions): Promise<Message> {
  return withDeadline(server, options, (settle) => {
    const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4');
    socket.on('message', (packet) => settle.take(readDatagram(packet, request)));
    socket.on('error', settle.reject);
    socket.once('connect', () => {
      socket.send(request.packet, (error) => {
        if (error) settle.reject(error);
      });
    });
    // Connected, so that the kernel only lets this server's packets in and reports a closed port.
    socket.connect(server.port, server.address);
    return () => socket.close();
  });
}

/** The answer in a datagram, as `readAnswer` says it. Of one that was cut only the question counts: the cut may be inside a record (RFC 2181 9). */
export function readDatagram(packet: Buffer, request: Request): Message | Error | undefined {
  const answer = readAnswer(packet, request);
  const isCut = answer instanceof Error && (packet.readUInt16BE(2) & flags.TC) !== 0;
  return isCut ? readHead(packet, request) : answer;
}

/** Asks once over TCP, on a connection of its own. */
export function exchangeTcp(server: SocketAddress, request: Request, options: ExchangeOptions): Promise<Message> {
  return withDeadline(server, options, (settle) => {
    const socket = connect({ host: server.address, port: server.port, noDelay: true });
    const frames = createFrames((packet) => settle.take(readAnswer(packet, request)));
    socket.on('data', (chunk: Buffer) => frames(chunk));
    socket.on('error', settle.reject);
    socket.on('close', () => settle.reject(new Error('the connection was closed before an answer')));
    const length = Buffer.alloc(2);
    length.writeUInt16BE(request.packet.length, 0);
    socket.write(Buffer.concat([length, request.packet]));
    return () => socket.destroy();
  });
}

export interface Settle {
  /** Takes what was read; nothing comes of a packet that is no answer. */
  readonly take: (answer: Message | Error | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** Runs `start` until it settles, the time is over or the signal aborts; what it returns cleans up, once. */
export function withDeadline(
  { address, port }: SocketAddress,
  { timeoutMs, signal }: ExchangeOptions,
  start: (settle: Settle) => () => void,
): Promise<Message> {
  const { promise, resolve, reject } = Promise.withResolvers<Message>();
  const late = (): void => reject(new Error(`${address} port ${port} did not answer within ${timeoutMs} ms`));
  const aborted = (): void => reject(new Error('stopped'));
  const timer = setTimeout(late, timeoutMs);
  signal?.addEventListener('abort', aborted, { once: true });
  const take = (answer: Message | Error | undefined): void => {
    if (answer instanceof Error) reject(answer);
    else if (answer !== undefined) resolve(answer);
  };
  const stop = start({ take, reject });
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', aborted);
    stop();
  });
}

/** The message, when it answers this very request; an Error when it would, but is malformed. */
export function readAnswer(packet: Buffer, request: Request): Message | Error | undefined {
  const message = readMessage(packet);
  if (!('malformed' in message)) return isAnswer(message, request) ? message : undefined;
  return readHead(packet, request) && new Error('the answer is malformed');
}

/** An answer without its records. */
function readHead(packet: Buffer, request: Request): Message | undefined {
  if (packet.length < 12) return undefined;
  const message = readMessage(Buffer.from(packet).fill(0, 6, 12));
  return !('malformed' in message) && isAnswer(message, request) ? message : undefined;
}

const opcodeMask = 0x7800;

function isAnswer(message: Message, { id, question }: Request): boolean {
  if (message.id !== id || (message.flags & (flags.QR | opcodeMask)) !== flags.QR) return false;
  const [asked, ...more] = message.questions;
  if (more.length > 0) return false;
  // Some servers leave the question out of an error.
  if (asked === undefined) return message.rcode !== 0;
  return (
    asked.type === question.type && asked.class === question.class && nameKey(asked.name) === nameKey(question.name)
  );
}
