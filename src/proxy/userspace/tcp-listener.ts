import { connect, createServer, type Server, type Socket } from 'node:net';
import { parseBackendName } from '../backend-name.ts';
import type { BackendPicker } from './backend-picker.ts';
import type { Admission } from './listener.ts';

/**
 * Accepts connections of one frontend and splices each to a backend. A backend that cannot be reached is passed over for
 * the next one. Established connections live on when the frontend changes or the listener closes.
 */
export function listenTcp(host: string, port: number, picker: BackendPicker, admits: Admission): Promise<() => void> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    client.on('error', () => client.destroy());
    const address = client.remoteAddress ?? '';
    if (admits(address)) splice(client, address, picker, new Set());
    else client.resetAndDestroy();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.removeListener('error', reject);
      server.on('error', () => undefined);
      resolve(() => closeListener(server));
    });
  });
}

function closeListener(server: Server): void {
  server.close();
}

function splice(client: Socket, address: string, picker: BackendPicker, tried: Set<string>): void {
  const name = picker.pick(address, Date.now(), tried);
  if (name === undefined) {
    client.resetAndDestroy();
    return;
  }
  tried.add(name);
  const { address: host, port } = parseBackendName(name);
  const backend = connect({ host, port, allowHalfOpen: true, noDelay: true });
  let isConnected = false;
  backend.once('connect', () => {
    isConnected = true;
    client.pipe(backend);
    backend.pipe(client);
  });
  backend.on('error', () => {
    if (isConnected) client.resetAndDestroy();
    else if (!client.destroyed) splice(client, address, picker, tried);
  });
  client.once('close', () => backend.destroy());
  backend.once('close', () => {
    if (isConnected) client.destroySoon();
  });
}
