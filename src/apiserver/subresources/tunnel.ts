import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest } from '../../api/errors.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Server } from '../server.ts';
import { chooseContainer, locatePod } from './pod-location.ts';

/** Agent paths of the subresources that are streams of their own. */
const agentPaths: Readonly<Record<string, string>> = { exec: 'exec', attach: 'attach', portforward: 'portForward' };

/** Headers that are between the client and us, or would give its credentials away. */
const ownHeaders: ReadonlySet<string> = new Set(['host', 'authorization', 'content-length', 'transfer-encoding']);

/** How long a client has to take the last of a stream and close. */
const lingerMs = 2000;

const bearerProtocol = 'base64url.bearer.authorization.k8s.io.';

/** exec, attach and port-forward without an upgrade. */
export function needsUpgrade(): never {
  throw badRequest('Upgrade request required');
}

/** Is the request for one of the streams that are tunnelled? */
export function isTunnel(exchange: ResourceExchange): boolean {
  const { resource, subresource } = exchange.info;
  return resource === 'pods' && subresource !== undefined && agentPaths[subresource] !== undefined;
}

/**
 * Connects the client's socket with the agent's. The agent answers the upgrade, WebSocket or SPDY, and speaks to the client
 * from then on; nothing in between is looked at.
 *
 *     client ── TLS ── API server ── TLS, our certificate ── agent
 *       GET …/pods/web/exec?command=ls        GET /exec/shop/web/main?command=ls
 */
export async function tunnel(
  exchange: ResourceExchange,
  server: Server,
  message: IncomingMessage,
  client: Duplex,
  head: Buffer,
): Promise<void> {
  const { pod, agent } = await locatePod(exchange, server);
  const path = agentPath(exchange, chooseTarget(exchange, pod));
  const upstream = await server.agents.open(agent);
  if (client.destroyed) {
    upstream.destroy();
    return;
  }
  const stream = { end: () => upstream.destroy() };
  server.streams.add(stream);
  upstream.once('close', () => {
    server.streams.delete(stream);
    client.end();
    // Unread, the client's own end would never be seen; a client that says nothing more is left soon.
    client.resume();
    const timer = setTimeout(() => client.destroy(), lingerMs);
    client.once('close', () => clearTimeout(timer));
  });
  upstream.on('error', () => client.destroy());
  client.on('error', () => upstream.destroy());
  client.once('close', () => upstream.destroy());
  upstream.write(requestHead(message, path, `${agent.host}:${agent.port}`));
  if (head.length > 0) upstream.write(head);
  upstream.pipe(client);
  client.pipe(upstream);
}

function chooseTarget(exchange: ResourceExchange, pod: Parameters<typeof chooseContainer>[0]): string | undefined {
  if (exchange.info.subresource === 'portforward') return undefined;
  return chooseContainer(pod, exchange.request.query.get('container'));
}

function agentPath(exchange: ResourceExchange, container: string | undefined): string {
  const { info, request } = exchange;
  const query = new URLSearchParams(request.query);
  query.delete('container');
  const parts = [info.namespace ?? '', info.name ?? '', ...(container === undefined ? [] : [container])];
  const path = `/${agentPaths[info.subresource ?? '']}/${parts.map(encodeURIComponent).join('/')}`;
  return query.size > 0 ? `${path}?${query}` : path;
}

/** The client's own request head towards the agent, header order and repetitions kept. */
function requestHead(message: IncomingMessage, path: string, host: string): string {
  const lines = [`${message.method} ${path} HTTP/1.1`, `Host: ${host}`];
  for (let at = 0; at + 1 < message.rawHeaders.length; at += 2) {
    const name = message.rawHeaders[at] ?? '';
    const value = message.rawHeaders[at + 1] ?? '';
    if (ownHeaders.has(name.toLowerCase())) continue;
    const passed = name.toLowerCase() === 'sec-websocket-protocol' ? withoutToken(value) : value;
    lines.push(`${name}: ${passed}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function withoutToken(protocols: string): string {
  const kept = protocols
    .split(',')
    .map((each) => each.trim())
    .filter((each) => !each.startsWith(bearerProtocol));
  return kept.join(', ');
}
