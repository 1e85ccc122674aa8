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
    } else client.resetAndDestroy();
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
    client.resetAndDestroy();
    return;
  }
  tried.add(destination.name);
  const backend = connect({ host: destination.address, port: destination.port, allowHalfOpen: true, noDelay: true });
  const end = switchboard.connections.add(destination.name, () => {
    client.resetAndDestroy();
    backend.resetAndDestroy();
  });
  let isConnected = false;
  backend.once('connect', () => {
    isConnected = true;
    client.pipe(backend);
    backend.pipe(client);
  });
  backend.on('error', () => {
    if (isConnected) client.resetAndDestroy();
    else if (!client.destroyed) splice(client, caller, port, switchboard, tried);
  });
  client.once('close', () => backend.destroy());
  backend.once('close', () => {
    end();
    if (isConnected) client.destroySoon();
  });
}
