import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { TlsOptions } from 'node:tls';
import type { Client } from '../client.ts';
import type { Responder } from '../responder.ts';
import { lowestTtl } from '../write-reply.ts';
import type { ListenAddress, StreamListener } from './listener.ts';
import { canonicalPeer, streamIdleMs } from './tcp.ts';

const mediaType = 'application/dns-message';
const path = '/dns-query';
/** Longest question taken; checked before anything is decoded. Base64 makes three bytes four characters. */
const longestQuestion = 4096;
const longestText = Math.ceil((longestQuestion * 4) / 3);

/**
 * Answers DNS over HTTPS (RFC 8484), GET and POST, HTTP/2 and 1.1. Rejects when the address cannot be had.
 */
export async function listenHttps(
  { address, port, reusePort = false }: ListenAddress,
  responder: Responder,
  tls: TlsOptions,
): Promise<StreamListener> {
  const server = createSecureServer(
    { ...tls, allowHTTP1: true, settings: { maxConcurrentStreams: 256 } },
    (request, response) => {
      void answer(request, response, responder).catch(() => response.stream?.destroy());
    },
  );
  server.setTimeout(streamIdleMs);
  server.listen({ host: address, port, ipv6Only: address.includes(':'), reusePort });
  await once(server, 'listening');
  server.on('error', () => undefined);
  server.on('sessionError', () => undefined);
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the server has no address');
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.on('secureConnection', (socket) => {
    sessions.add(socket);
    socket.once('close', () => sessions.delete(socket));
  });
  return {
    address: bound.address,
    port: bound.port,
    renew: (options) => server.setSecureContext(options),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}

async function answer(request: Http2ServerRequest, response: Http2ServerResponse, responder: Responder): Promise<void> {
  const packet = await readQuestion(request);
  if (typeof packet === 'number') {
    response.writeHead(packet, packet === 405 ? { allow: 'GET, POST' } : {}).end();
    return;
  }
  const address = canonicalPeer(request.socket.remoteAddress ?? '');
  const client: Client = { transport: 'https', address: () => address };
  const answered = await responder.answer(packet, client);
  if (answered === undefined) {
    response.writeHead(400).end();
    return;
  }
  const out = Buffer.allocUnsafe(responder.size(answered));
  const body = out.subarray(0, responder.write(answered, out, 0));
  const seconds = lowestTtl(answered.reply);
  response.writeHead(200, {
    'content-type': mediaType,
    'content-length': body.length,
    'cache-control': seconds === undefined ? 'no-store' : `max-age=${seconds}`,
  });
  response.end(body);
}

/** The bytes of the question, or the HTTP status that says what is wrong with the request. */
async function readQuestion(request: Http2ServerRequest): Promise<Buffer | number> {
  const [where = '', query = ''] = (request.url ?? '').split('?', 2);
  if (where !== path) return 404;
  if (request.method === 'GET') {
    const text = new URLSearchParams(query).get('dns');
    if (text === null || !/^[A-Za-z0-9_-]+$/.test(text)) return 400;
    return text.length > longestText ? 414 : Buffer.from(text, 'base64url');
  }
  if (request.method !== 'POST') return 405;
  if (request.headers['content-type'] !== mediaType) return 415;
  if (Number(request.headers['content-length'] ?? 0) > longestQuestion) return 413;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestQuestion) return 413;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
