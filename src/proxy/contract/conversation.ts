import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { callSctp } from '../../linux/sctp.ts';
import type { HostTask } from './hosts.ts';

/** A client's connection, association or socket; what the server said is `NAME ADDRESS-SEEN`. */
export interface Conversation {
  /**
   * Sends a request of `size` bytes more and waits for the answer to it: the server's words, or `refused`, `reset`,
   * `timeout`, or what else went wrong.
   */
  ask(size: number, patienceMs: number): Promise<string>;
  close(): void;
}

type Destination = Pick<HostTask & { readonly kind: 'call' }, 'address' | 'port' | 'protocol' | 'localAddress'>;

export function openConversation(to: Destination): Conversation {
  if (to.protocol === 'SCTP') return openSctp(to);
  return to.protocol === 'UDP' ? openUdp(to) : openTcp(to);
}

/** What a request of that size must be answered with: the server counts its bytes. */
function checked(answer: string, size: number): string {
  const [name = '', address = '', bytes] = answer.trim().split(' ');
  return Number(bytes) === size + 1 ? `${name} ${address}` : `garbled: ${answer}`;
}

function openTcp({ address, port, localAddress }: Destination): Conversation {
  const socket = connect({ host: address, port, localAddress });
  socket.setMaxListeners(0);
  let failure: string | undefined;
  socket.on('error', (error) => (failure = nameOf(error)));
  socket.on('end', () => (failure ??= 'closed'));
  return {
    ask: (size, patienceMs) =>
      outcome(patienceMs, (done) => {
        if (failure !== undefined) return done(failure);
        socket.once('error', (error) => done(nameOf(error)));
        socket.once('end', () => done('closed'));
        socket.once('data', (data) => done(checked(data.toString(), size)));
        socket.write(`${'x'.repeat(size)}\n`);
      }),
    close: () => void socket.destroy(),
  };
}

/** A connected socket; when the system ended it, `ask` says so once, and the next one is over a new one. */
function openUdp(to: Destination): Conversation {
  let current = connectUdp(to);
  return {
    async ask(size, patienceMs) {
      const { socket, connected, failure } = current;
      await connected;
      const answer = await outcome(patienceMs, (done) => {
        if (failure() !== undefined) return done(failure() ?? '');
        const fail = (error: Error): void => done(nameOf(error));
        socket.once('error', fail);
        socket.once('message', (data) => {
          socket.off('error', fail);
          done(checked(data.toString(), size));
        });
        socket.send(`${'x'.repeat(size)}\n`);
      });
      if (failure() === undefined) return answer;
      socket.close();
      current = connectUdp(to);
      return answer;
    },
    close: () => void current.socket.close(),
  };
}

function connectUdp({ address, port, localAddress }: Destination) {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  let failure: string | undefined;
  // A refusal is an answer to one datagram; the socket lives on.
  socket.on('error', (error) => (failure = nameOf(error) === 'refused' ? failure : nameOf(error)));
  if (localAddress !== undefined) socket.bind(0, localAddress);
  const connected = new Promise<void>((resolve) => socket.connect(port, address, resolve));
  return { socket, connected, failure: () => failure };
}

/** The port of the last association that was called from here. */
let sctpPort = 40_000;

/** An association as far as its first packet and the answer, which carries the server's words. */
function openSctp({ address, port }: Destination): Conversation {
  const sourcePort = (sctpPort += 1);
  return { ask: (_, patienceMs) => callSctp(address, port, sourcePort, patienceMs), close: () => undefined };
}

function nameOf(error: Error): string {
  const code = 'code' in error ? error.code : undefined;
  return code === 'ECONNREFUSED' ? 'refused' : code === 'ECONNRESET' ? 'reset' : error.message;
}

function outcome(patienceMs: number, start: (done: (text: string) => void) => void): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('timeout'), patienceMs);
    start((text) => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}
