import { Socket } from 'node:net';
import { libc } from './libc.ts';
import { inNetworkNamespace } from './namespaces.ts';

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

/** Connects over TCP from inside the network namespace at `path` to an IPv4 address. Rejects with the socket's error. */
export function connectFromNamespace(path: string, address: string, port: number): Promise<Socket> {
  // A socket belongs for good to the namespace in which it was made; connecting may happen anywhere.
  const fd = inNetworkNamespace(path, () => libc().socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const socket = new Socket({ fd, readable: true, writable: true, manualStart: true } as ConstructorParameters<
    typeof Socket
  >[0]);
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.connect({ host: address, port }, () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
