import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { ApiError, internal } from '../../api/errors.ts';
import type { Logger } from '../../observe/log.ts';
import type { ServerBackend } from './backend.ts';
import { readRoute } from './routes.ts';
import type { Route } from './routes.ts';
import { serveUpgrade } from './upgrade.ts';

export interface AgentServerConfig {
  readonly backend: ServerBackend;
  readonly listen: { readonly address: string; readonly port: number };
  /** PEM: the certificate and key it serves with, and the authority of the clients it accepts (the API server). */
  readonly tls: { readonly certificate: string; readonly key: string; readonly clientAuthority: string };
  readonly logger: Logger;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export interface AgentServer extends AsyncDisposable {
  /** With the port that the kernel chose where 0 was asked for. */
  readonly address: AddressInfo;
}

/**
 * The agent's HTTPS server: logs, exec, attach and port-forward, asked for by the API server only. Every request needs a
 * certificate that the cluster's authority signed. Rejects with the system's error when the port is taken.
 */
export async function startAgentServer(config: AgentServerConfig): Promise<AgentServer> {
  const { certificate, key, clientAuthority } = config.tls;
  const sockets = new Set<Duplex>();
  const server = createServer({
    cert: certificate,
    key,
    ca: clientAuthority,
    requestCert: true,
    rejectUnauthorized: true,
  });
  server.requestTimeout = 0;
  server.on('secureConnection', (socket: TLSSocket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  server.on('request', (request, response) => {
    void answer(config, request, response);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    void upgrade(config, request, socket, head);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(config.listen.port, config.listen.address, resolve);
  await promise;
  return {
    address: server.address() as AddressInfo,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function answer(config: AgentServerConfig, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const route = readRoute(request.url ?? '/', config.now());
    if (route.type === 'logs') await sendLogs(config, route, response);
    else if (route.type === 'health') response.end('ok');
    else if (route.type === 'unknown') refuse(response, 404, 'the agent has nothing here');
    else refuse(response, 400, 'Upgrade request required');
  } catch (error) {
    sendError(config, response, error);
  }
}

async function sendLogs(
  { backend }: AgentServerConfig,
  { request }: Extract<Route, { type: 'logs' }>,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const chunks = await backend.logs({ ...request, signal: gone.signal });
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  for await (const chunk of chunks) {
    if (gone.signal.aborted) return;
    if (!response.write(chunk)) await drained(response, gone.signal);
  }
  response.end();
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function sendError({ logger }: AgentServerConfig, response: ServerResponse, error: unknown): void {
  if (!(error instanceof ApiError)) logger.error('a request failed', { error });
  const { status } = error instanceof ApiError ? error : internal(String(error), error);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status.code ?? 500, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', ...status }));
}

function refuse(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { 'content-type': 'text/plain' }).end(message);
}

async function upgrade(
  config: AgentServerConfig,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  socket.on('error', () => undefined);
  try {
    const route = readRoute(request.url ?? '/', config.now());
    await serveUpgrade(route, { request, socket, head }, config.backend);
  } catch (error) {
    if (!(error instanceof ApiError)) config.logger.warn('a stream failed', { error, path: request.url });
    if (socket.writable) refuseUpgrade(socket, error);
  }
}

function refuseUpgrade(socket: Duplex, error: unknown): void {
  const { status } = error instanceof ApiError ? error : internal(String(error), error);
  const body = JSON.stringify({ kind: 'Status', apiVersion: 'v1', ...status });
  const head = [
    `HTTP/1.1 ${status.code ?? 500} Refused`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
