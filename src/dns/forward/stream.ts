import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createFrames } from '../listen/tcp-frames.ts';
import type { UpstreamSettings } from '../settings/settings.ts';
import type { Message } from '../wire/message.ts';
import { type Exchange, readAnswer, type Request } from './exchange.ts';
import { Silence } from './silence.ts';

/** A connection on which nothing is heard is closed after this long: what servers allow at least (RFC 7858 3.4). */
const idleMs = 8000;

/** A way of asking over TCP or TLS that keeps its connection for the next question (RFC 7766 6.2.1). */
export interface StreamExchange extends Disposable {
  readonly exchange: Exchange;
}

interface Waiting {
  readonly request: Request;
  readonly resolve: (message: Message) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Asks an upstream over one lasting connection, questions beside each other. A certificate is checked against the name that
 * the settings give, else the address.
 */
export function streamExchange(settings: UpstreamSettings): StreamExchange {
  let open: Connection | undefined;
  const connection = (): Connection => {
    if (open === undefined || open.isClosed) open = new Connection(openSocket(settings));
    return open;
  };
  return {
    exchange: (request, { timeoutMs, signal }) => connection().ask(request, timeoutMs, signal),
    [Symbol.dispose]: () => open?.close(new Error('stopped')),
  };
}

function openSocket({ address, port, transport, serverName }: UpstreamSettings): Socket {
  if (transport === 'dns') return connectTcp({ host: address, port, noDelay: true });
  return connectTls({ host: address, port, servername: serverName, ALPNProtocols: ['dot'], minVersion: 'TLSv1.2' });
}

class Connection {
  isClosed = false;
  readonly #socket: Socket;
  /** By message id: ids of questions under way differ on one connection. */
  readonly #waiting = new Map<number, Waiting>();
  readonly #silence = new Silence(idleMs, () => this.close(new Error('the connection was silent for too long')));

  constructor(socket: Socket) {
    this.#socket = socket;
    const frames = createFrames((packet) => this.#receive(packet));
    socket.on('data', (chunk: Buffer) => {
      this.#silence.heard();
      frames(chunk);
    });
    socket.on('error', (error) => this.close(error));
    socket.on('close', () => this.close(new Error('the connection was closed before an answer')));
    // Keeping a connection must not keep the process.
    socket.unref();
  }

  async ask(request: Request, timeoutMs: number, signal?: AbortSignal): Promise<Message> {
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    if (this.#waiting.has(request.id)) throw new Error('this id is under way on the connection');
    const abort = (): void => reject(new Error('stopped'));
    const mark = this.#silence.asked();
    const late = (): void => {
      const error = new Error(`no answer within ${timeoutMs} ms`);
      if (this.#silence.hasLasted(mark)) this.close(error);
      reject(error);
    };
    const timer = setTimeout(late, timeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    this.#waiting.set(request.id, { request, resolve, reject });
    this.#socket.ref();
    const length = Buffer.alloc(2);
    length.writeUInt16BE(request.packet.length, 0);
    this.#socket.write(Buffer.concat([length, request.packet]));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      this.#waiting.delete(request.id);
      if (this.#waiting.size === 0) this.#socket.unref();
    }
  }

  close(error: Error): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#silence[Symbol.dispose]();
    this.#socket.destroy();
    for (const { reject } of this.#waiting.values()) reject(error);
  }

  #receive(packet: Buffer): void {
    if (packet.length < 2) return;
    const waiting = this.#waiting.get(packet.readUInt16BE(0));
    const answer = waiting && readAnswer(packet, waiting.request);
    if (answer instanceof Error) waiting?.reject(answer);
    else if (answer !== undefined) waiting?.resolve(answer);
  }
}
