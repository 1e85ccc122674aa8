import http from 'node:http';
import https from 'node:https';
import { TransportError } from './client.ts';
import type { Transport, TransportRequest, TransportResponse } from './client.ts';

/** How to reach an API server and who we are there. */
export interface Connection {
  /** `https://10.0.0.1:6443`, with or without a path prefix. */
  readonly server: string;
  /** PEM of the authorities to trust; the system's when unset. */
  readonly ca?: string;
  /** PEM. */
  readonly clientCert?: string;
  readonly clientKey?: string;
  /** Bearer token, or where to get the current one before each request. */
  readonly token?: string | (() => string | Promise<string>);
  readonly basic?: { readonly username: string; readonly password: string };
  /** The name that the server's certificate must have, when it is not the host in `server`. */
  readonly serverName?: string;
  readonly insecureSkipVerify?: boolean;
}

/**
 * HTTP/1.1 with kept connections; each open watch has a connection of its own. A request whose kept connection turns out
 * closed is sent again once, unless it creates something.
 */
export function httpTransport(connection: Connection): Transport {
  const base = new URL(connection.server);
  const agent = makeAgent(connection, base);
  const send = base.protocol === 'https:' ? https.request : http.request;
  const prefix = base.pathname.replace(/\/$/, '');

  async function exchange(request: TransportRequest): Promise<TransportResponse> {
    const headers = { ...request.headers, ...lengthOf(request), ...(await authorization(connection)) };
    const { promise, resolve, reject } = Promise.withResolvers<TransportResponse>();
    const { method, signal } = request;
    const options = { agent, method, path: prefix + request.path, headers, signal };
    const outgoing = send({ hostname: unbracketed(base.hostname), port: base.port, ...options }, (incoming) =>
      resolve(response(incoming, request)),
    );
    outgoing.on('error', (error) => reject(new Lost(failure(request, error), outgoing.reusedSocket)));
    outgoing.end(request.body);
    return promise;
  }

  return {
    async request(request) {
      try {
        return await exchange(request);
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        if (!error.onKeptConnection || error.reason.aborted || request.method === 'POST') throw error.reason;
        return exchange(request).catch((again: unknown) => {
          throw again instanceof Lost ? again.reason : again;
        });
      }
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
    },
  };
}

/** A request without an answer, and whether it went out on a connection that had served before. */
class Lost extends Error {
  readonly reason: TransportError;
  readonly onKeptConnection: boolean;
  constructor(reason: TransportError, onKeptConnection: boolean) {
    super(reason.message);
    this.reason = reason;
    this.onKeptConnection = onKeptConnection;
  }
}

function makeAgent(connection: Connection, base: URL): http.Agent {
  const kept = { keepAlive: true, keepAliveMsecs: 15_000, maxFreeSockets: 8 };
  if (base.protocol === 'http:') return new http.Agent(kept);
  if (base.protocol !== 'https:') throw new TypeError(`server ${connection.server}: not an http or https address`);
  return new https.Agent({
    ...kept,
    ca: connection.ca,
    cert: connection.clientCert,
    key: connection.clientKey,
    servername: connection.serverName,
    rejectUnauthorized: !connection.insecureSkipVerify,
  });
}

/** Said explicitly: Node leaves it out of a DELETE with a body, and the body is then taken for the next request. */
function lengthOf({ body }: TransportRequest): Record<string, string> {
  return body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
}

/** `[::1]` in a URL is `::1` to the socket. */
function unbracketed(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

async function authorization({ token, basic }: Connection): Promise<Record<string, string>> {
  if (token !== undefined) {
    return { authorization: `Bearer ${typeof token === 'string' ? token : await token()}` };
  }
  if (basic === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString('base64')}` };
}

function response(incoming: http.IncomingMessage, request: TransportRequest): TransportResponse {
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
  return { status: incoming.statusCode ?? 0, headers: Object.fromEntries(headers), body: readBody(incoming, request) };
}

async function* readBody(incoming: http.IncomingMessage, request: TransportRequest): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of incoming) yield chunk;
  } catch (error) {
    throw failure(request, error);
  }
}

function failure(request: TransportRequest, cause: unknown): TransportError {
  const aborted = request.signal?.aborted ?? false;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TransportError(`${request.method} ${request.path}: ${reason}`, { cause, aborted });
}
