import { setTimeout as delay } from 'node:timers/promises';
import { bindUdp, peerAddress, readUdp } from '../../linux/udp-batch.ts';
import type { BoundUdp, Datagram, Peer } from '../../linux/udp-batch.ts';
import type { Client } from '../client.ts';
import { FairIntake } from '../overload/fair-intake.ts';
import { PatientQuestions } from '../overload/patient-questions.ts';
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
    renew: () => Promise.resolve(),
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

/** The asker with a socket address of its own. */
export function clientAt(peer: Peer): Client {
  return { transport: 'udp', address: () => peerAddress(peer) };
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
  const send = (answered: Answered | undefined, peer: Peer): void => {
    if (!isOpen || answered === undefined) return;
    const out = Buffer.allocUnsafe(responder.size(answered));
    socket.send(peer, out.subarray(0, responder.write(answered, out, 0)));
  };
  const later = (answered: Promise<Answered | undefined>, peer: Peer): Promise<void> => {
    const finished = answered.then((late) => {
      underWay.delete(finished);
      send(late, peer);
    });
    underWay.add(finished);
    return finished;
  };
  const patient = new PatientQuestions({
    drop: () => responder.dropped(),
    answer(packet, peer) {
      const answered = responder.answer(packet, clientAt(peer));
      if (answered instanceof Promise) return later(answered, peer);
      send(answered, peer);
      return undefined;
    },
  });
  const intake = new FairIntake(socket.fd, (count) => responder.dropped(count));
  const answer = (datagram: Datagram): number => {
    if (!intake.admits(datagram)) return 0;
    const { bytes, at, length, outAt } = datagram;
    const written = responder.quick(bytes, at, length, bytes, outAt);
    if (written > 0) return written;
    if (!responder.isOwn(bytes, at, length)) {
      patient.add(Buffer.from(datagram.packet()), datagram.peer());
      return 0;
    }
    const peer = datagram.peer();
    const answered = responder.answer(datagram.packet(), clientAt(peer));
    if (answered === undefined) return 0;
    if (!(answered instanceof Promise)) return responder.write(answered, bytes, outAt);
    void later(answered, peer);
    return 0;
  };
  const reading = readUdp(socket.fd, answer, () => {
    responder.sent();
    intake.look();
  });
  return {
    async finish() {
      reading.drain();
      intake[Symbol.dispose]();
      patient.finish();
      reading[Symbol.dispose]();
      if (underWay.size > 0) await within(mostFinishMs, Promise.all(underWay));
      isOpen = false;
    },
  };
}
