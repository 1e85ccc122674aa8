import { bindUdp, peerAddress, readUdp } from '../../linux/udp-batch.ts';
import type { BoundUdp, Datagram } from '../../linux/udp-batch.ts';
import type { Client } from '../client.ts';
import type { SocketAddress } from '../config.ts';
import type { Answered, Responder } from '../responder.ts';
import type { DatagramListener } from './listener.ts';

/** Queue of a socket: what comes while something else keeps the thread. */
export const receiveBufferBytes = 4 << 20;

/** Answers UDP many datagrams to a system call (Linux). Throws when the socket cannot be had. */
export function listenUdpBatch(where: SocketAddress, responder: Responder): DatagramListener {
  const socket = bindUdp({ ...where, receiveBufferBytes });
  const reading = readWithResponder(socket, responder);
  return {
    address: socket.address,
    port: socket.port,
    renew: () => undefined,
    async [Symbol.asyncDispose]() {
      reading[Symbol.dispose]();
      socket[Symbol.dispose]();
    },
  };
}

/** Answers what comes in at a socket, until disposed of; the socket stays open. */
export function readWithResponder(socket: BoundUdp, responder: Responder): Disposable {
  let isOpen = true;
  const later = (answered: Answered, send: (data: Uint8Array) => void): void => {
    const out = Buffer.allocUnsafe(responder.size(answered));
    send(out.subarray(0, responder.write(answered, out, 0)));
  };
  // One for all datagrams, so that a query makes none: its address is that of the datagram being read.
  let now: Datagram | undefined;
  const client: Client = { transport: 'udp', address: () => peerAddress(now?.peer() ?? Buffer.alloc(0)) };
  const reading = readUdp(socket.fd, (datagram) => {
    const { bytes, at, length, outAt } = datagram;
    const written = responder.quick(bytes, at, length, bytes, outAt);
    if (written > 0) return written;
    now = datagram;
    const answered = responder.answer(datagram.packet(), client);
    if (answered === undefined) return 0;
    if (!(answered instanceof Promise)) return responder.write(answered, bytes, outAt);
    const peer = datagram.peer();
    answered.then((late) => {
      if (isOpen && late !== undefined) later(late, (data) => socket.send(peer, data));
    });
    return 0;
  });
  return {
    [Symbol.dispose]() {
      isOpen = false;
      reading[Symbol.dispose]();
    },
  };
}
