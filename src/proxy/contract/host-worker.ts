import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { enterNetworkNamespace } from '../../linux/namespaces.ts';
import { callSctp, serveSctp } from '../../linux/sctp.ts';

/**
 * A machine of the contract's network: a thread in a network namespace that serves and calls ports. Servers answer with
 * the machine's name and the address they see.
 */

/** What a machine is asked to do. */
export type HostRequest =
  | { readonly id: number; readonly kind: 'serve'; readonly address: string; readonly port: number }
  | {
      readonly id: number;
      readonly kind: 'call';
      readonly address: string;
      readonly port: number;
      readonly udp: boolean;
    }
  | {
      readonly id: number;
      readonly kind: 'hold';
      readonly address: string;
      readonly port: number;
      readonly udp: boolean;
    }
  | { readonly id: number; readonly kind: 'again' }
  | { readonly id: number; readonly kind: 'serve-sctp'; readonly address: string; readonly port: number }
  | { readonly id: number; readonly kind: 'call-sctp'; readonly address: string; readonly port: number };

/** What came of it: the server's words, `refused` or `timeout`. */
export interface HostReply {
  readonly id: number;
  readonly text: string;
}

const timeoutMs = 400;
const { name, namespace } = workerData as { name: string; namespace: string | undefined };
if (namespace !== undefined) enterNetworkNamespace(namespace);
let held: (() => Promise<string>) | undefined;
/** The port of the last association that was called from here. */
let sctpPort = 40_000;

parentPort?.on('message', (request: HostRequest) => {
  void perform(request).then((text) => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
    parentPort?.postMessage({ id: request.id, text });
  });
});

async function perform(request: HostRequest): Promise<string> {
  if (request.kind === 'serve') return serve(request.address, request.port);
  if (request.kind === 'again') return (await held?.()) ?? 'nothing held';
  if (request.kind === 'call-sctp') return callSctp(request.address, request.port, (sctpPort += 1), timeoutMs);
  if (request.kind === 'serve-sctp') {
    serveSctp(request.address, request.port, name);
    return 'serving';
  }
  const open = request.udp ? openUdp : openTcp;
  const ask = open(request.address, request.port);
  if (request.kind === 'call') return ask().finally(() => ask.close());
  held = ask;
  return ask();
}

type Conversation = (() => Promise<string>) & { close(): void };

function serve(address: string, port: number): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => socket.write(`${name} ${socket.remoteAddress ?? ''}`));
  });
  const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  udp.on('message', (_, peer) => udp.send(`${name} ${peer.address}`, peer.port, peer.address));
  udp.bind(port, address);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => resolve('serving'));
  });
}

function openTcp(address: string, port: number): Conversation {
  const socket = connect({ host: address, port });
  let failure: string | undefined;
  socket.setMaxListeners(0);
  socket.on('error', (error) => (failure = codeOf(error)));
  const ask = (): Promise<string> =>
    outcome((done) => {
      if (failure !== undefined) return done(failure);
      const fail = (error: Error): void => done(codeOf(error));
      socket.once('error', fail);
      socket.once('data', (data) => {
        socket.off('error', fail);
        done(data.toString());
      });
      socket.write('?');
    });
  return Object.assign(ask, { close: () => void socket.destroy() });
}

function openUdp(address: string, port: number): Conversation {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', () => undefined);
  const connected = new Promise<void>((resolve) => socket.connect(port, address, resolve));
  const ask = async (): Promise<string> => {
    await connected;
    return outcome((done) => {
      const fail = (error: Error): void => done(codeOf(error));
      socket.once('error', fail);
      socket.once('message', (data) => {
        socket.off('error', fail);
        done(data.toString());
      });
      socket.send('?');
    });
  };
  return Object.assign(ask, { close: () => socket.close() });
}

function codeOf(error: Error): string {
  return 'code' in error && (error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET') ? 'refused' : error.message;
}

function outcome(start: (done: (text: string) => void) => void): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('timeout'), timeoutMs);
    start((text) => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}
