/** A thread that answers UDP from prebuilt answers, and hands all other questions to the main thread. */
import { parentPort } from 'node:worker_threads';
import { readUdp, type Datagram } from '../../linux/udp-batch.ts';
import { pluginNumber } from '../coredns-names.ts';
import { PrebuiltReader } from '../prebuilt/reader.ts';
import { Sampler } from '../shadow/sampler.ts';
import { QueryTally } from '../query-tally.ts';
import {
  mostUnderWay,
  packedSize,
  packQuestion,
  sharedWords,
  type Order,
  type Report,
  type ThreadSource,
} from './messages.ts';

const clusterPlugin = pluginNumber('cluster');

/** One socket of this thread. */
class Served {
  readonly #id: number;
  readonly #shared: Int32Array;
  readonly #tally: QueryTally;
  readonly #stop: () => void;
  #reader: PrebuiltReader | undefined;
  #recursionAvailable = false;
  readonly #shadow = new Sampler();
  #turn = 0;
  /** Questions for the main thread: those of all that was read at once go together. */
  #packed = Buffer.allocUnsafe(4096);
  #packedEnd = 0;

  constructor({ id, fd, shared, tally }: Extract<Order, { type: 'serve' }>) {
    this.#id = id;
    this.#shared = new Int32Array(shared);
    this.#tally = new QueryTally(tally);
    const reading = readUdp(
      fd,
      (datagram) => this.#answer(datagram),
      () => this.#flush(),
    );
    this.#stop = () => {
      reading.drain();
      reading[Symbol.dispose]();
    };
  }

  become(source: ThreadSource | undefined): void {
    this.#reader = source && new PrebuiltReader(source.memory);
    this.#recursionAvailable = source?.recursionAvailable ?? false;
    this.#shadow.share = source?.shadowShare ?? 0;
  }

  stop(): void {
    this.#stop();
  }

  #answer(datagram: Datagram): number {
    const { bytes, at, length, outAt } = datagram;
    const turn = (this.#turn + 1) & 0x3fffffff;
    const reader = this.#reader;
    const written = reader?.answer(bytes, at, length, bytes, outAt, this.#recursionAvailable, turn) ?? 0;
    if (reader === undefined || written === 0) {
      this.#pass(datagram, false);
      return 0;
    }
    if (this.#shadow.next()) this.#pass(datagram, true);
    this.#turn = turn;
    this.#tally.countInBatch(reader.type, clusterPlugin, reader.rcode, reader.dnssecOk, length, written);
    return written;
  }

  #pass(datagram: Datagram, isAnswered: boolean): void {
    if (Atomics.load(this.#shared, sharedWords.underWay) >= mostUnderWay) return;
    const packet = datagram.packet();
    const peer = datagram.peer();
    const end = this.#packedEnd + packedSize(packet.length, peer);
    if (end > this.#packed.length) {
      this.#packed = Buffer.concat([this.#packed.subarray(0, this.#packedEnd)], Math.max(end, this.#packed.length * 2));
    }
    packQuestion(this.#packed, this.#packedEnd, packet, peer, isAnswered);
    Atomics.add(this.#shared, sharedWords.underWay, 1);
    this.#packedEnd = end;
  }

  #flush(): void {
    this.#tally.endBatch();
    if (this.#packedEnd === 0) return;
    const packed = Uint8Array.from(this.#packed.subarray(0, this.#packedEnd));
    this.#packedEnd = 0;
    report({ type: 'questions', id: this.#id, packed }, [packed.buffer]);
  }
}

function report(message: Report, transfer: ArrayBuffer[] = []): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(message, transfer);
}

const served = new Map<number, Served>();

parentPort?.on('message', (order: Order) => {
  switch (order.type) {
    case 'serve':
      served.set(order.id, new Served(order));
      break;
    case 'become':
      served.get(order.id)?.become(order.source);
      break;
    case 'stop':
      served.get(order.id)?.stop();
      served.delete(order.id);
      report({ type: 'stopped', id: order.id });
      break;
    case 'end':
      for (const each of served.values()) each.stop();
      // Of this thread alone.
      process.exit();
  }
});
