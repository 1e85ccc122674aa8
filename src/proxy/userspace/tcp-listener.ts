import { connect, createServer, type Socket } from 'node:net';
import type { Switchboard } from './listener.ts';
import type { Caller } from './schedule.ts';

/**
 * Accepts connections on one port of a frontend and splices each to a backend. A backend that cannot be reached is passed
 * over for the next one. The returned function stops listening; connections live on.
 */
export function listenTcp(host: string, port: number, switchboard: Switchboard): Promise<() => void> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    client.on('error', () => client.destroy());
    const caller = { client: client.remoteAddress ?? '', called: host };
    if (switchboard.admits(caller.client)) {
      switchboard.count();
      splice(client, caller, port, switchboard, new Set());
    } else reset(client);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.removeListener('error', reject);
      server.on('error', () => undefined);
      resolve(() => void server.close());
    });
  });
}

function splice(client: Socket, caller: Caller, port: number, switchboard: Switchboard, tried: Set<string>): void {
  const destination = switchboard.route(caller, port, tried);
  if (destination === undefined) {
    reset(client);
    return;
  }
  tried.add(destination.name);
  const backend = connect({ host: destination.address, port: destination.port, allowHalfOpen: true, noDelay: true });
  const end = switchboard.connections.add(destination.name, () => {
    reset(client);
    reset(backend);
  });
  let isConnected = false;
  backend.once('connect', () => {
    isConnected = true;
    client.pipe(backend);
    backend.pipe(client);
  });
  backend.on('error', () => {
    if (isConnected) reset(client);
    else if (!client.destroyed) splice(client, caller, port, switchboard, tried);
  });
  client.once('close', () => backend.destroy());
  backend.once('close', () => {
    end();
    if (isConnected) client.destroySoon();
  });
}

/**
 * Ends a connection with a reset. libuv refuses that while the socket's own end is on its way (uv_tcp_close_reset), and
 * Node then never closes it: such a socket is only closed.
 */
function reset(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}
