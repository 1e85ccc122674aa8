import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import { setImmediate } from 'node:timers/promises';
import type { Client } from '../client.ts';
import type { Answered, Responder } from '../responder.ts';
import type { ListenAddress, StreamListener } from './listener.ts';
import { createFrames } from './tcp-frames.ts';
import { within } from './within.ts';

export interface TcpLimits {
  /** A connection without a request for this long is closed. */
  readonly idleMs: number;
  /** Connections at once; more are closed at once. */
  readonly connections: number;
  /** The same of one client's address, so that none takes all of them. */
  readonly connectionsOfPeer: number;
  /** Requests of one connection being answered at once; reading waits while there are more. */
  readonly pending: number;
}

/** Milliseconds. */
export const streamIdleMs = 10_000;

/** Milliseconds that a connection of a server that leaves may be silent: a question may be on its way. */
const leaveIdleMs = 200;
/** Milliseconds until all connections end, silent or not. */
const mostLeaveMs = 5000;

const defaultLimits: TcpLimits = { idleMs: streamIdleMs, connections: 1024, connectionsOfPeer: 128, pending: 128 };

/**
 * Answers TCP, or TLS over it (RFC 7858) when given a certificate: any number of requests per connection, answered as they are ready, in any order (RFC 7766). Rejects when
 * the address cannot be had.
 */
export async function listenTcp(
  { address, port, reusePort = false }: ListenAddress,
  responder: Responder,
  limits: Partial<TcpLimits> = {},
  tls?: TlsOptions,
): Promise<StreamListener> {
  const all = { ...defaultLimits, ...limits };
  const open = new Map<Socket, Conversation>();
  const byPeer = new Map<string, number>();
  const accept = (socket: Socket): void => {
    const client = clientOf(socket, tls === undefined ? 'tcp' : 'tls');
    const peer = client.address();
    const count = (byPeer.get(peer) ?? 0) + 1;
    if (count > all.connectionsOfPeer) {
      socket.destroy();
      return;
    }
    byPeer.set(peer, count);
    socket.once('close', () => {
      open.delete(socket);
      const left = (byPeer.get(peer) ?? 1) - 1;
      if (left === 0) byPeer.delete(peer);
      else byPeer.set(peer, left);
    });
    open.set(socket, serve(socket, responder, all, client));
  };
  const server = createStreamServer(tls, accept);
  server.maxConnections = all.connections;
  server.listen({ host: address, port, ipv6Only: address.includes(':'), reusePort });
  await once(server, 'listening');
  server.on('error', () => undefined);
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the server has no address');
  return {
    address: bound.address,
    port: bound.port,
    renew: (options) => void (server instanceof TlsServer && server.setSecureContext(options)),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const conversation of open.values()) conversation.leave();
      await within(mostLeaveMs, closed);
      for (const socket of open.keys()) socket.destroy();
      await closed;
    },
  };
}

/** Half-open connections are kept: a client may end its side and still wait for answers. */
function createStreamServer(tls: TlsOptions | undefined, accept: (socket: Socket) => void): Server {
  if (tls === undefined) return createServer({ noDelay: true, allowHalfOpen: true }, accept);
  const options = { ...tls, noDelay: true, allowHalfOpen: true, ALPNProtocols: ['dot'], handshakeTimeout: 5000 };
  return createTlsServer(options, accept).on('tlsClientError', (_error, socket) => socket.destroy());
}

/** The other end of a connection. */
function clientOf(socket: Socket, transport: Client['transport']): Client {
  const address = canonicalPeer(socket.remoteAddress ?? '');
  return { transport, address: () => address };
}

/** A socket for both families shows IPv4 peers as `::ffff:192.0.2.1`. */
export function canonicalPeer(text: string): string {
  return text.startsWith('::ffff:') && text.includes('.') ? text.slice(7) : text;
}

/** A connection being served. */
interface Conversation {
  /** Ends when everything is answered and nothing more is asked. */
  leave(): void;
}

function serve(socket: Socket, responder: Responder, limits: TcpLimits, client: Client): Conversation {
  let pending = 0;
  let transfers = Promise.resolve();
  let hasEnded = false;
  let isLeaving = false;
  /** When the message began of which not all has come. */
  let begunMs: number | undefined;

  const send = (answered: Answered | undefined): void => {
    if (answered === undefined || socket.destroyed) return;
    if (answered.reply.transfer !== undefined) return transfer(responder.messages(answered));
    const out = Buffer.allocUnsafe(2 + responder.size(answered));
    const length = responder.write(answered, out, 2);
    out.writeUInt16BE(length, 0);
    // A reader that is slower than its questions must not fill our memory.
    if (!socket.write(out.subarray(0, 2 + length))) pause();
  };
  // One zone after the other, so that no connection holds messages of many.
  const transfer = (messages: Iterable<Buffer>): void => {
    pending += 1;
    transfers = transfers.then(() => sendAll(socket, messages)).finally(done);
  };
  const pause = (): void => {
    socket.pause();
    socket.once('drain', () => socket.resume());
  };
  const done = (): void => {
    pending -= 1;
    if (pending < limits.pending && !socket.writableNeedDrain) socket.resume();
    if (hasEnded && pending === 0) socket.end();
  };
  const onMessage = (packet: Buffer): void => {
    begunMs = undefined;
    const answered = responder.answer(packet, client);
    if (!(answered instanceof Promise)) return send(answered);
    pending += 1;
    if (pending >= limits.pending) socket.pause();
    answered.then(send).finally(done);
  };

  const frames = createFrames(onMessage);
  // Of a server that leaves, an answer under way keeps the connection; sending it starts the time anew.
  socket.setTimeout(limits.idleMs, () => (isLeaving && pending > 0 ? undefined : socket.destroy()));
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    if (!frames(chunk)) return;
    // Bytes alone are no request: a message must come to its end in time.
    begunMs ??= performance.now();
    if (performance.now() - begunMs > limits.idleMs) socket.destroy();
  });
  socket.on('end', () => {
    hasEnded = true;
    if (pending === 0) socket.end();
  });
  return {
    leave() {
      isLeaving = true;
      socket.setTimeout(Math.min(leaveIdleMs, limits.idleMs));
    },
  };
}

/** Sends messages as fast as the other end takes them, and lets others have their turn in between. */
async function sendAll(socket: Socket, messages: Iterable<Buffer>): Promise<void> {
  for (const message of messages) {
    if (socket.destroyed) return;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    socket.cork();
    socket.write(length);
    const hasRoom = socket.write(message);
    socket.uncork();
    await (hasRoom ? setImmediate() : drained(socket));
  }
}

/** Resolves when a socket takes more, or nothing any more. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      socket.off('drain', end).off('close', end);
      resolve();
    };
    socket.on('drain', end).on('close', end);
  });
}
