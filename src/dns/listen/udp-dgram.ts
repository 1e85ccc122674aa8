import { createSocket } from 'node:dgram';
import type { RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import type { Answered, Responder } from '../responder.ts';
import type { DatagramListener, ListenAddress } from './listener.ts';

/** Answers UDP with Node's own sockets: on any platform. Rejects when the address cannot be had. */
export async function listenUdpDgram(
  { address, port, reusePort = false }: ListenAddress,
  responder: Responder,
): Promise<DatagramListener> {
  const socket = createSocket({
    type: address.includes(':') ? 'udp6' : 'udp4',
    ipv6Only: address.includes(':'),
    reusePort,
    // Peers are addresses already: without this each answer would wait for a name lookup.
    lookup: (host, _options, callback) => callback(null, host, host.includes(':') ? 6 : 4),
  });
  let isOpen = true;
  const send = (answered: Answered, { address: host, port: at }: RemoteInfo): void => {
    if (!isOpen) return;
    const out = Buffer.allocUnsafe(responder.size(answered));
    // An asker that cannot be reached is no error of ours.
    socket.send(out.subarray(0, responder.write(answered, out, 0)), at, host, () => undefined);
  };
  socket.on('message', (packet, peer) => {
    if (peer.port === 0) return;
    const answered = responder.answer(packet, { transport: 'udp', address: () => peer.address });
    if (answered instanceof Promise) answered.then((late) => late && send(late, peer));
    else if (answered !== undefined) send(answered, peer);
  });
  // The look-up above is immediate, so the socket may be bound before `bind` returns.
  const bound = once(socket, 'listening');
  socket.bind(port, address);
  await bound;
  socket.on('error', () => undefined);
  return {
    ...socket.address(),
    renew: () => Promise.resolve(),
    async [Symbol.asyncDispose]() {
      isOpen = false;
      socket.close();
      await once(socket, 'close');
    },
  };
}
