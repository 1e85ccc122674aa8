import { openUdpBatch, peerAddress } from '../../linux/udp-batch.ts';
import type { Peer } from '../../linux/udp-batch.ts';
import type { Client } from '../client.ts';
import type { SocketAddress } from '../config.ts';
import type { Answered, Responder } from '../responder.ts';
import type { Listener } from './listener.ts';

/** Answers UDP many datagrams to a system call (Linux). Throws when the socket cannot be had. */
export function listenUdpBatch(where: SocketAddress, responder: Responder): Listener {
  const later = (answered: Answered, send: (data: Uint8Array) => void): void => {
    const out = Buffer.allocUnsafe(responder.size(answered));
    send(out.subarray(0, responder.write(answered, out, 0)));
  };
  let isOpen = true;
  // One for all datagrams, so that a query makes none: its address is that of the datagram being read.
  let peerNow: () => Peer = () => Buffer.alloc(0);
  const client: Client = { transport: 'udp', address: () => peerAddress(peerNow()) };
  const socket = openUdpBatch({ ...where, receiveBufferBytes: 4 << 20 }, (packet, out, peerOf) => {
    peerNow = peerOf;
    const answered = responder.answer(packet, client);
    if (answered === undefined) return 0;
    if (!(answered instanceof Promise)) return responder.write(answered, out, 0);
    const peer = peerOf();
    answered.then((late) => {
      if (isOpen && late !== undefined) later(late, (data) => socket.send(peer, data));
    });
    return 0;
  });
  return {
    address: socket.address,
    port: socket.port,
    async [Symbol.asyncDispose]() {
      isOpen = false;
      socket[Symbol.dispose]();
    },
  };
}
