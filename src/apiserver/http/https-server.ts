import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { createServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Incoming } from '../exchange.ts';
import type { Identity } from '../auth/identity.ts';
import { readBody } from './body.ts';
import { httpSink } from './http-sink.ts';
import { peerIdentity } from './peer.ts';
import type { Reply } from './reply.ts';
import { isStream } from './reply.ts';

const compress = promisify(gzip);

/** Bodies from this size on are compressed for clients that accept it, as kube-apiserver does. */
const compressFromBytes = 128 * 1024;

export interface HttpsOptions {
  readonly listen: readonly { readonly address: string; readonly port: number }[];
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** PEM of the authority that client certificates must be signed by. */
  readonly clientAuthority: string;
  answer(request: Incoming): Promise<Reply>;
  /** A request with `Upgrade`: answer refuses it, or takes the socket over and gives undefined. */
  upgrade(request: Incoming, message: IncomingMessage, socket: Duplex, head: Buffer): Promise<Reply | undefined>;
}

export interface Listeners extends AsyncDisposable {
  /** Where it really listens: port 0 is replaced by the port that was free. */
  readonly addresses: readonly { readonly address: string; readonly port: number }[];
}

/** Listens with TLS on every address. Clients are asked for a certificate; who has none may still show a token. */
export async function listenHttps(options: HttpsOptions): Promise<Listeners> {
  const servers = await Promise.all(options.listen.map((at) => listenOn(options, at)));
  const addresses = servers.map((server, index) => {
    const bound = server.address();
    const address = options.listen[index]?.address ?? '';
    return { address, port: typeof bound === 'object' && bound !== null ? bound.port : 0 };
  });
  return { addresses, [Symbol.asyncDispose]: () => Promise.all(servers.map(closeServer)).then(() => {}) };
}

function listenOn(
  options: HttpsOptions,
  at: { readonly address: string; readonly port: number },
): Promise<HttpsServer> {
  const server = createServer({
    cert: options.certificate,
    key: options.key,
    ca: options.clientAuthority,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    // A watch is one request that lasts; the usual five minutes would cut it.
    requestTimeout: 0,
    headersTimeout: 30_000,
    keepAliveTimeout: 120_000,
    noDelay: true,
  });
  const peers = new WeakMap<Duplex, { readonly peer: Identity | 'invalid' | undefined }>();
  const incoming = (message: IncomingMessage, signal: AbortSignal) => {
    const known = peers.get(message.socket) ?? { peer: peerIdentity(message.socket) };
    peers.set(message.socket, known);
    return toIncoming(message, signal, known.peer);
  };
  server.on('request', (message, response) => {
    void serve(options, incoming, message, response);
  });
  server.on('upgrade', (message, socket, head) => {
    void serveUpgrade(options, incoming, message, socket, head);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.address, () => resolve(server));
  });
}

type ToIncoming = (message: IncomingMessage, signal: AbortSignal) => Incoming;

async function serve(
  options: HttpsOptions,
  incoming: ToIncoming,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const abort = new AbortController();
  response.once('close', () => abort.abort());
  const reply = await options.answer(incoming(message, abort.signal));
  if (response.destroyed) return;
  // What was not read of a refused body must not be taken for the next request.
  if (!message.complete) response.setHeader('connection', 'close');
  await send(reply, message, response);
}

async function send(reply: Reply, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const { body } = reply;
  if (isStream(body)) {
    response.writeHead(reply.status, reply.headers);
    response.flushHeaders();
    const stop = body.start(httpSink(response));
    if (response.destroyed) stop();
    else response.once('close', stop);
    return;
  }
  const bytes = body ?? new Uint8Array();
  const isCompressed = bytes.length > compressFromBytes && acceptsGzip(message);
  const content = isCompressed ? await compress(bytes, { level: 1 }) : bytes;
  const encoding = isCompressed ? { 'content-encoding': 'gzip', vary: 'Accept-Encoding' } : {};
  response.writeHead(reply.status, { ...reply.headers, ...encoding, 'content-length': `${content.length}` });
  response.end(message.method === 'HEAD' ? undefined : content);
}

async function serveUpgrade(
  options: HttpsOptions,
  incoming: ToIncoming,
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const abort = new AbortController();
  socket.on('error', () => abort.abort());
  socket.once('close', () => abort.abort());
  const reply = await options.upgrade(incoming(message, abort.signal), message, socket, head);
  if (reply === undefined || socket.destroyed) return;
  const bytes = isStream(reply.body) || reply.body === undefined ? new Uint8Array() : reply.body;
  const headers = { ...reply.headers, 'content-length': `${bytes.length}`, connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${reply.status} Refused\r\n${lines.join('')}\r\n`);
  socket.end(bytes);
}

function toIncoming(message: IncomingMessage, signal: AbortSignal, peer: Identity | 'invalid' | undefined): Incoming {
  const target = message.url ?? '/';
  const at = target.indexOf('?');
  return {
    method: message.method ?? 'GET',
    path: at < 0 ? target : target.slice(0, at),
    query: new URLSearchParams(at < 0 ? '' : target.slice(at + 1)),
    headers: flatHeaders(message),
    readBody: () => readBody(message),
    signal,
    peer,
  };
}

function flatHeaders(message: IncomingMessage): Readonly<Record<string, string | undefined>> {
  const entries = Object.entries(message.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : value,
  ]);
  return Object.fromEntries(entries);
}

function acceptsGzip(message: IncomingMessage): boolean {
  return /\bgzip\b/.test(String(message.headers['accept-encoding'] ?? ''));
}

/** Streams have been ended by now; connections that still answer get a moment, idle ones are closed at once. */
function closeServer(server: HttpsServer): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), 1000);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
