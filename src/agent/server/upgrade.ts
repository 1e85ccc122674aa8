import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, createWebSocketStream } from 'ws';
import type { WebSocket } from 'ws';
import { badRequest } from '../../api/errors.ts';
import type { ServerBackend } from './backend.ts';
import { statusOfExit, statusOfFailure } from './exit-status.ts';
import type { Route } from './routes.ts';
import type { Session, WantedStreams } from './session.ts';
import { serveSpdyPortForward } from './spdy/port-forward.ts';
import { spdySession } from './spdy/spdy-session.ts';
import { channelSession } from './websocket/channel-session.ts';
import { serveChannelPortForward } from './websocket/port-forward.ts';

/** A connection on which the client asks for another protocol. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** Bytes that came after the request's head. */
  readonly head: Buffer;
}

/**
 * The protocols of Kubernetes' streams, best first. What kubectl speaks:
 *
 *     exec, attach    WebSocket v5 (1.31 on) · SPDY/3.1 v4 (before)
 *     port-forward    SPDY/3.1 inside a WebSocket (1.31 on) · SPDY/3.1 (before) · WebSocket v4 (other clients)
 */
const sessionProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;
const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io';
const spdyForwardProtocol = 'portforward.k8s.io';

/** Serves an upgraded stream to its end. Throws `ApiError` while the upgrade can still be refused. */
export async function serveUpgrade(route: Route, upgrade: UpgradeRequest, backend: ServerBackend): Promise<void> {
  switch (route.type) {
    case 'exec':
      return runSession(await openSession(upgrade, route.wanted), async ({ streams }) =>
        statusOfExit(await backend.exec(route.request, streams)),
      );
    case 'attach':
      return runSession(await openSession(upgrade, route.wanted), async ({ streams }) => {
        await backend.attach(route.request, streams);
        return statusOfExit({ exitCode: 0 });
      });
    case 'port-forward':
      return serveForward(upgrade, route.ports, (port) => backend.connectPort(route.request, port));
    default:
      throw badRequest('this path is no stream');
  }
}

async function runSession(
  session: Session,
  task: (session: Session) => Promise<Parameters<Session['finish']>[0]>,
): Promise<void> {
  const status = await task(session).catch(statusOfFailure);
  await session.finish(status);
}

async function openSession(upgrade: UpgradeRequest, wanted: WantedStreams): Promise<Session> {
  if (protocolOf(upgrade) === 'websocket') {
    return channelSession(await acceptWebSocket(upgrade, sessionProtocols), wanted);
  }
  // v5 exists on WebSockets only.
  acceptSpdy(upgrade, ['v4.channel.k8s.io']);
  return spdySession(upgrade.socket, wanted);
}

async function serveForward(
  upgrade: UpgradeRequest,
  ports: readonly number[],
  connectPort: (port: number) => Promise<Duplex>,
): Promise<void> {
  if (protocolOf(upgrade) === 'spdy') {
    acceptSpdy(upgrade, [spdyForwardProtocol]);
    return serveSpdyPortForward(upgrade.socket, connectPort);
  }
  const socket = await acceptWebSocket(upgrade, [tunnelProtocol, ...sessionProtocols]);
  if (socket.protocol !== tunnelProtocol) return serveChannelPortForward(socket, ports, connectPort);
  return serveSpdyPortForward(createWebSocketStream(socket), connectPort);
}

function protocolOf({ request }: UpgradeRequest): 'websocket' | 'spdy' {
  const asked = String(request.headers.upgrade ?? '').toLowerCase();
  if (asked === 'websocket') return 'websocket';
  if (asked === 'spdy/3.1') return 'spdy';
  throw badRequest(`unable to upgrade: "${asked}" is neither websocket nor SPDY/3.1`);
}

function acceptWebSocket({ request, socket, head }: UpgradeRequest, known: readonly string[]): Promise<WebSocket> {
  const offered = String(request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
  const chosen = known.find((protocol) => offered.includes(protocol));
  if (chosen === undefined)
    throw badRequest(`none of the protocols ${offered.join(', ')} is known; known: ${known.join(', ')}`);
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, handleProtocols: () => chosen });
  return new Promise((resolve) => server.handleUpgrade(request, socket, head, resolve));
}

/** Answers the upgrade with the first known protocol that the client offers (several headers, or a list in one). */
function acceptSpdy({ request, socket, head }: UpgradeRequest, known: readonly string[]): void {
  const offered = (request.headersDistinct['x-stream-protocol-version'] ?? []).flatMap((each) => each.split(/\s*,\s*/));
  const chosen = known.find((protocol) => offered.includes(protocol));
  if (chosen === undefined)
    throw badRequest(`none of the protocols ${offered.join(', ')} is known; known: ${known.join(', ')}`);
  const answer = [
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    'Upgrade: SPDY/3.1',
    `X-Stream-Protocol-Version: ${chosen}`,
  ];
  if (head.length > 0) socket.unshift(head);
  socket.write(`${answer.join('\r\n')}\r\n\r\n`);
}
