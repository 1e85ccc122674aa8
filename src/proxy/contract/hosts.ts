import { Worker } from 'node:worker_threads';
import type { Protocol } from '../../routing/frontend.ts';

/** Where a machine's thread lives. */
export interface HostPlace {
  readonly name: string;
  /** Undefined for the namespace of the thread that starts it. */
  readonly namespace?: string;
  /** A threaded cgroup that the thread and all its sockets belong to. */
  readonly cgroup?: string;
}

/** What a machine can be asked to do. */
export type HostTask =
  | {
      readonly kind: 'serve';
      readonly addresses: readonly string[];
      readonly ports: readonly number[];
      readonly protocols: readonly Protocol[];
      /** Answers from another port than the usual one name it. */
      readonly namesPorts?: boolean;
    }
  | {
      readonly kind: 'call';
      readonly address: string;
      readonly port: number;
      readonly protocol: Protocol;
      /** Own address to call from; undefined leaves the choice to the system. */
      readonly localAddress?: string;
      readonly times: number;
      /** Bytes of each request beside its end. */
      readonly size: number;
      readonly patienceMs: number;
      /** Keeps the last connection or socket open under this name, for `again`. */
      readonly hold?: string;
    }
  | { readonly kind: 'again'; readonly hold: string; readonly patienceMs: number }
  | { readonly kind: 'get'; readonly address: string; readonly port: number; readonly patienceMs: number }
  | { readonly kind: 'stray' }
  | { readonly kind: 'release' };

export interface HostRequest {
  readonly id: number;
  readonly task: HostTask;
}

/** What came of it: the servers' words, `refused`, `reset` or `timeout`, one for each time. */
export interface HostReply {
  readonly id: number;
  readonly texts: readonly string[];
  /** The task could not be done at all. */
  readonly failure?: string;
}

/** One machine of the contract's network, driven from the test. */
export interface Host extends AsyncDisposable {
  perform(task: HostTask): Promise<readonly string[]>;
  /** Answers TCP and UDP on the port. */
  serve(address: string, port: number): Promise<void>;
  /** Opens a connection (or sends a datagram): `NAME ADDRESS-SEEN`, `refused` or `timeout`. */
  call(address: string, port: number, udp: boolean): Promise<string>;
  /** The same, and keeps the connection or socket for `again`. */
  hold(address: string, port: number, udp: boolean): Promise<string>;
  again(): Promise<string>;
  /** Answers SCTP associations on the port; needs CAP_NET_RAW. */
  serveSctp(address: string, port: number): Promise<void>;
  /** Begins an SCTP association: as `call`. */
  callSctp(address: string, port: number): Promise<string>;
}

/** How long a call waits when nothing else is said. */
const patienceMs = 400;
/** The same for what is kept, which is meant to be answered: a first packet that is lost comes again after a second. */
const holdPatienceMs = 3000;

/** Starts a machine's thread. */
export function startHost(place: HostPlace): Host {
  // Raw sockets are opened by foreign functions, of which Node knows nothing.
  const options = { workerData: place, trackUnmanagedFds: false };
  const worker = new Worker(new URL('./host-worker.ts', import.meta.url), options);
  const waiting = new Map<number, { resolve: (texts: readonly string[]) => void; reject: (error: Error) => void }>();
  let id = 0;
  worker.on('message', ({ id: answered, texts, failure }: HostReply) => {
    const asker = waiting.get(answered);
    waiting.delete(answered);
    if (failure === undefined) asker?.resolve(texts);
    else asker?.reject(new Error(`${place.name}: ${failure}`));
  });
  worker.on('error', (error) => {
    for (const each of waiting.values()) each.reject(error instanceof Error ? error : new Error(String(error)));
  });
  const perform = (task: HostTask): Promise<readonly string[]> =>
    new Promise((resolve, reject) => {
      id += 1;
      waiting.set(id, { resolve, reject });
      const request: HostRequest = { id, task };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
      worker.postMessage(request);
    });
  const serve = async (address: string, port: number, protocols: readonly Protocol[]): Promise<void> => {
    await perform({ kind: 'serve', addresses: [address], ports: [port], protocols });
  };
  const first = async (task: HostTask): Promise<string> => (await perform(task))[0] ?? '';
  const callOf = (address: string, port: number, protocol: Protocol): HostTask & { readonly kind: 'call' } => {
    return { kind: 'call', address, port, protocol, times: 1, size: 0, patienceMs };
  };
  return {
    perform,
    serve: (address, port) => serve(address, port, ['TCP', 'UDP']),
    serveSctp: (address, port) => serve(address, port, ['SCTP']),
    callSctp: (address, port) => first(callOf(address, port, 'SCTP')),
    call: (address, port, udp) => first(callOf(address, port, udp ? 'UDP' : 'TCP')),
    hold: (address, port, udp) => {
      const task = callOf(address, port, udp ? 'UDP' : 'TCP');
      return first({ ...task, hold: 'only', patienceMs: holdPatienceMs });
    },
    again: () => first({ kind: 'again', hold: 'only', patienceMs }),
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
