/** A thread that answers UDP from prebuilt answers, and hands all other questions to the main thread. */
import { parentPort } from 'node:worker_threads';
import { readUdp, type Datagram, type Peer } from '../../linux/udp-batch.ts';
import { FairIntake } from '../overload/fair-intake.ts';
import { FairQueue } from '../overload/fair-queue.ts';
import { clientOf } from '../overload/patient-questions.ts';
import { pluginNumber } from '../coredns-names.ts';
import { PrebuiltReader } from '../prebuilt/reader.ts';
import { Sampler } from '../shadow/sampler.ts';
import { QueryTally } from '../query-tally.ts';
import {
  mostUnderWay,
  mostWaiting,
  packedSize,
  packQuestion,
  sharedWords,
  type Order,
  type Report,
  type ThreadSource,
} from './messages.ts';

const clusterPlugin = pluginNumber('cluster');
const cachePlugin = pluginNumber('cache');
/** Milliseconds until the main thread may have taken some. */
const retryMs = 1;
/** Milliseconds between two counts of what was dropped. */
const tellEveryMs = 250;

/** A question for the main thread. */
interface Question {
  readonly packet: Buffer;
  readonly peer: Peer;
  /** It has its answer, and is only to be followed. */
  readonly isAnswered: boolean;
}

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
  readonly #waiting = new FairQueue<Question>(mostWaiting);
  #retry: NodeJS.Timeout | undefined;
  readonly #intake: FairIntake;
  /** Questions that were too many, and the main thread has not been told of. */
  #dropped = 0;
  #toldAtMs = 0;

  constructor({ id, fd, shared, tally }: Extract<Order, { type: 'serve' }>) {
    this.#id = id;
    this.#shared = new Int32Array(shared);
    this.#tally = new QueryTally(tally);
    this.#intake = new FairIntake(fd, (count) => (this.#dropped += count));
    const reading = readUdp(
      fd,
      (datagram) => this.#answer(datagram),
      () => {
        this.#handOver();
        this.#intake.look();
        this.#tellDropped(false);
      },
    );
    this.#stop = () => {
      reading.drain();
      reading[Symbol.dispose]();
      this.#intake[Symbol.dispose]();
      this.#tellDropped(true);
      clearTimeout(this.#retry);
    };
  }

  become(source: ThreadSource | undefined): void {
    this.#reader = source && new PrebuiltReader(source.memory, Date.now);
    this.#recursionAvailable = source?.recursionAvailable ?? false;
    this.#shadow.share = source?.shadowShare ?? 0;
  }

  stop(): void {
    this.#stop();
  }

  #answer(datagram: Datagram): number {
    if (!this.#intake.admits(datagram)) return 0;
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
    const plugin = reader.isOthers ? cachePlugin : clusterPlugin;
    this.#tally.countInBatch(reader.type, plugin, reader.rcode, reader.dnssecOk, length, written);
    return written;
  }

  #pass(datagram: Datagram, isAnswered: boolean): void {
    const peer = datagram.peer();
    const dropped = this.#waiting.push(clientOf(peer), { packet: Buffer.from(datagram.packet()), peer, isAnswered });
    if (dropped?.isAnswered === false) this.#dropped += 1;
  }

  /** Hands over as many as the main thread takes; the others wait for it. */
  #handOver(): void {
    while (Atomics.load(this.#shared, sharedWords.underWay) < mostUnderWay) {
      const question = this.#waiting.take();
      if (question === undefined) return this.#flush();
      this.#pack(question);
    }
    this.#flush();
    if (this.#waiting.size > 0) this.#retry ??= setTimeout(() => this.#tryAgain(), retryMs);
  }

  /** At once, or from time to time. */
  #tellDropped(isLast: boolean): void {
    const nowMs = performance.now();
    if (this.#dropped === 0 || (!isLast && nowMs - this.#toldAtMs < tellEveryMs)) return;
    report({ type: 'dropped', id: this.#id, count: this.#dropped });
    this.#dropped = 0;
    this.#toldAtMs = nowMs;
  }

  #tryAgain(): void {
    this.#retry = undefined;
    this.#handOver();
  }

  #pack({ packet, peer, isAnswered }: Question): void {
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
      report({ type: 'became', id: order.id });
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
