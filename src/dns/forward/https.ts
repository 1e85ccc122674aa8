import { connect, type ClientHttp2Session } from 'node:http2';
import type { UpstreamSettings } from '../settings/settings.ts';
import { type Exchange, readAnswer } from './exchange.ts';
import type { StreamExchange } from './stream.ts';

/** Longest answer taken: a DNS message has no more (RFC 8484 6). */
const longestBytes = 65_535;
const idleMs = 30_000;

/** Asks an upstream over HTTPS with HTTP/2 (RFC 8484); its session is kept for the next question. */
export function httpsExchange({ address, port, serverName }: UpstreamSettings): StreamExchange {
  const host = address.includes(':') ? `[${address}]` : address;
  let session: ClientHttp2Session | undefined;
  const open = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    session = connect(`https://${host}:${port}`, { servername: serverName, minVersion: 'TLSv1.2' });
    session.on('error', () => undefined);
    session.setTimeout(idleMs, () => session?.close());
    session.unref();
    return session;
  };
  const exchange: Exchange = async (request, { timeoutMs, signal }) => {
    const stream = open().request({
      ':method': 'POST',
      ':path': '/dns-query',
      ':authority': serverName ?? host,
      accept: 'application/dns-message',
      'content-type': 'application/dns-message',
      'content-length': request.packet.length,
    });
    const abort = (): void => void stream.destroy(new Error('stopped'));
    signal?.addEventListener('abort', abort, { once: true });
    stream.setTimeout(timeoutMs, () => stream.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    stream.end(request.packet);
    try {
      let status = 0;
      stream.on('response', (headers) => (status = Number(headers[':status'])));
      const body = await readAll(stream);
      if (status !== 200) throw new Error(`the server answered with HTTP status ${status}`);
      const message = readAnswer(body, request);
      if (message === undefined) throw new Error('the server answered something else than was asked');
      return message;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  };
  return { exchange, [Symbol.dispose]: () => session?.destroy() };
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > longestBytes) throw new Error('the answer is longer than a DNS message');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
