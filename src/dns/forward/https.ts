import { connect, type ClientHttp2Session } from 'node:http2';
import type { UpstreamSettings } from '../settings/settings.ts';
import { type Exchange, readAnswer } from './exchange.ts';
import { Silence } from './silence.ts';
import type { StreamExchange } from './stream.ts';

/** Longest answer taken: a DNS message has no more (RFC 8484 6). */
const longestBytes = 65_535;
/** A session on which nothing is heard is closed after this long. */
const idleMs = 30_000;

/** Asks an upstream over HTTPS with HTTP/2 (RFC 8484); its session is kept for the next question. */
export function httpsExchange({ address, port, serverName }: UpstreamSettings): StreamExchange {
  const host = address.includes(':') ? `[${address}]` : address;
  let kept: Session | undefined;
  const open = (): Session => {
    if (kept === undefined || kept.http.closed || kept.http.destroyed) kept = openSession(host, port, serverName);
    return kept;
  };
  const exchange: Exchange = async (request, { timeoutMs, signal }) => {
    const { http, silence } = open();
    const stream = http.request({
      ':method': 'POST',
      ':path': '/dns-query',
      ':authority': serverName ?? host,
      accept: 'application/dns-message',
      'content-type': 'application/dns-message',
      'content-length': request.packet.length,
    });
    const abort = (): void => void stream.destroy(new Error('stopped'));
    signal?.addEventListener('abort', abort, { once: true });
    const mark = silence.asked();
    const timer = setTimeout(() => {
      stream.destroy(new Error(`no answer within ${timeoutMs} ms`));
      if (silence.hasLasted(mark)) http.destroy();
    }, timeoutMs);
    stream.end(request.packet);
    try {
      let status = 0;
      stream.on('response', (headers) => {
        silence.heard();
        status = Number(headers[':status']);
      });
      const body = await readAll(stream);
      if (status !== 200) throw new Error(`the server answered with HTTP status ${status}`);
      const answer = readAnswer(body, request) ?? new Error('the server answered something else than was asked');
      if (answer instanceof Error) throw answer;
      return answer;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  };
  return { exchange, [Symbol.dispose]: () => kept?.http.destroy() };
}

interface Session {
  readonly http: ClientHttp2Session;
  readonly silence: Silence;
}

function openSession(host: string, port: number, servername: string | undefined): Session {
  const http = connect(`https://${host}:${port}`, { servername, minVersion: 'TLSv1.2' });
  const silence = new Silence(idleMs, () => http.destroy());
  http.on('error', () => undefined);
  http.on('close', () => silence[Symbol.dispose]());
  // Keeping a session must not keep the process.
  http.unref();
  return { http, silence };
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
