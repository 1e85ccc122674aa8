import { setTimeout as delay } from 'node:timers/promises';
import { bindUdp, peerAddress, readUdp } from '../../linux/udp-batch.ts';
import type { BoundUdp, Datagram } from '../../linux/udp-batch.ts';
import type { Client } from '../client.ts';
import type { Answered, Responder } from '../responder.ts';
import type { DatagramListener, ListenAddress } from './listener.ts';
import { within } from './within.ts';

const handOverMs = 10;
/** Milliseconds: as long as most resolvers wait for an answer before they ask again. */
export const mostFinishMs = 5000;

/** Queue of a socket: what comes while something else keeps the thread. */
export const receiveBufferBytes = 4 << 20;

/** Answers UDP many datagrams to a system call (Linux). Throws when the socket cannot be had. */
export function listenUdpBatch(where: ListenAddress, responder: Responder): DatagramListener {
  const socket = bindUdp({ ...where, receiveBufferBytes });
  const reading = readWithResponder(socket, responder);
  return {
    address: socket.address,
    port: socket.port,
    renew: () => undefined,
    async [Symbol.asyncDispose]() {
      await refuse(socket);
      await reading.finish();
      socket[Symbol.dispose]();
    },
  };
}

/** Sends what comes from now on to other sockets at the address; resolves when the queue has got its last datagram. */
export async function refuse(socket: BoundUdp): Promise<void> {
  socket.refuse();
  // The kernel may have chosen this socket for a datagram already that another processor is handling.
  await delay(handOverMs);
}

/** A reader that can be ended without losing a question. */
export interface Reading {
  /** Answers what is in the queue, and waits for answers under way. */
  finish(): Promise<void>;
}

/** Answers what comes in at a socket, until disposed of; the socket stays open. */
export function readWithResponder(socket: BoundUdp, responder: Responder): Reading {
  let isOpen = true;
  const underWay = new Set<Promise<unknown>>();
  const later = (answered: Answered, send: (data: Uint8Array) => void): void => {
    const out = Buffer.allocUnsafe(responder.size(answered));
    send(out.subarray(0, responder.write(answered, out, 0)));
  };
  // One for all datagrams, so that a query makes none: its address is that of the datagram being read.
  let now: Datagram | undefined;
  const client: Client = { transport: 'udp', address: () => peerAddress(now?.peer() ?? Buffer.alloc(0)) };
  const answerOne = (datagram: Datagram): number => {
    const { bytes, at, length, outAt } = datagram;
    const written = responder.quick(bytes, at, length, bytes, outAt);
    if (written > 0) return written;
    now = datagram;
    const answered = responder.answer(datagram.packet(), client);
    if (answered === undefined) return 0;
    if (!(answered instanceof Promise)) return responder.write(answered, bytes, outAt);
    const peer = datagram.peer();
    const finished = answered.then((late) => {
      underWay.delete(finished);
      if (isOpen && late !== undefined) later(late, (data) => socket.send(peer, data));
    });
    underWay.add(finished);
    return 0;
  };
  const reading = readUdp(socket.fd, answerOne, () => responder.sent());
  return {
    async finish() {
      reading.drain();
      reading[Symbol.dispose]();
      if (underWay.size > 0) await within(mostFinishMs, Promise.all(underWay));
      isOpen = false;
    },
  };
}
