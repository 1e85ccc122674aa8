import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { ApiError, badRequest, internal, noSuchPath } from '../api/errors.ts';
import { anonymous } from './auth/identity.ts';
import { chain, routeUpgrade } from './chain.ts';
import type { Exchange, Incoming } from './exchange.ts';
import type { Reply } from './http/reply.ts';
import { isStream, objectReply, withHeaders } from './http/reply.ts';
import type { RequestInfo } from './request-info.ts';
import { parseRequest } from './request-info.ts';
import type { Server } from './server.ts';
import { tunnel } from './subresources/tunnel.ts';

/** Takes a request down the chain. Never throws: what goes wrong becomes a `Status`, and a 500 a line in the log too. */
export async function answer(request: Incoming, server: Server): Promise<Reply> {
  const started = performance.now();
  const info = readInfo(request);
  const exchange = 'error' in info ? undefined : { request, info, identity: anonymous, warnings: [] };
  const reply =
    exchange === undefined ? errorReply(badRequest('malformed request path')) : await runChain(exchange, server);
  record(server, info, reply, started);
  return withHeaders(reply, { 'audit-id': request.headers['audit-id'] ?? randomUUID(), ...warningHeaders(exchange) });
}

async function runChain(exchange: Exchange, server: Server): Promise<Reply> {
  try {
    for (const step of chain) {
      const reply = await step(exchange, server);
      if (reply !== undefined) return reply;
    }
    throw noSuchPath();
  } catch (error) {
    return failureReply(exchange, server, error);
  }
}

function failureReply(exchange: Exchange, server: Server, error: unknown): Reply {
  if (error instanceof ApiError) return errorReply(error);
  const { method, path } = exchange.request;
  server.log.error('request failed', { method, path, error, stack: error instanceof Error ? error.stack : undefined });
  return errorReply(internal(error instanceof Error ? error.message : String(error), error));
}

/**
 * Takes an upgrade down the same chain as far as the resource, then tunnels it to the agent. Gives the refusal, or undefined
 * once the socket is the tunnel's.
 */
export async function answerUpgrade(
  request: Incoming,
  server: Server,
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<Reply | undefined> {
  const info = readInfo(request);
  if ('error' in info) return errorReply(badRequest('malformed request path'));
  const exchange: Exchange = { request, info, identity: anonymous, warnings: [] };
  try {
    const target = await routeUpgrade(exchange, server);
    await tunnel(target, server, message, socket, head);
    return undefined;
  } catch (error) {
    return failureReply(exchange, server, error);
  }
}

/** The `Status` of a refusal, with the headers that go with it. */
export function errorReply(error: ApiError): Reply {
  const reply = objectReply(error.code, { kind: 'Status', apiVersion: 'v1', ...error.status });
  const retryAfter = error.status.details?.retryAfterSeconds;
  if (retryAfter === undefined || retryAfter === 0) return reply;
  return withHeaders(reply, { 'retry-after': `${retryAfter}` });
}

function readInfo(request: Incoming): RequestInfo | { readonly error: unknown } {
  try {
    return parseRequest(request.method, request.path, request.query);
  } catch (error) {
    return { error };
  }
}

function warningHeaders(exchange: Exchange | undefined): Record<string, string> {
  if (exchange === undefined || exchange.warnings.length === 0) return {};
  return { warning: warningHeader(exchange.warnings) };
}

/** Characters that a client gets of all warnings, and of each when they are more: as in Kubernetes. */
const mostWarned = 4096;
const mostOfEach = 256;

/** Each text once, as bytes of UTF-8, which is what Kubernetes' clients read; a header cannot hold other characters. */
function warningHeader(warnings: readonly string[]): string {
  const texts = [...new Set(warnings)];
  const isLong = texts.reduce((sum, text) => sum + text.length, 0) > mostWarned;
  const shown = isLong ? texts.slice(0, mostWarned / mostOfEach).map((text) => text.slice(0, mostOfEach)) : texts;
  const values = shown.map((text) => `299 - ${JSON.stringify(text.replaceAll('\u{7f}', ' '))}`);
  return Buffer.from(values.join(', ')).toString('latin1');
}

function record(server: Server, info: RequestInfo | { readonly error: unknown }, reply: Reply, started: number): void {
  const isResource = 'type' in info && info.type === 'resource';
  const verb = 'verb' in info ? info.verb : '';
  const resource = isResource ? info.resource : '';
  const subresource = isResource ? (info.subresource ?? '') : '';
  // An unknown resource is the client's word: as a label it could grow without end.
  const isNamed = reply.status !== 404 && reply.status !== 401 && reply.status !== 403;
  const labels = {
    verb,
    resource: isNamed ? resource : '',
    subresource: isNamed ? subresource : '',
    code: `${reply.status}`,
  };
  server.metrics.requests.inc(labels);
  if (!isStream(reply.body))
    server.metrics.requestSeconds.observe((performance.now() - started) / 1000, { verb, resource: labels.resource });
}
