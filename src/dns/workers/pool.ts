import { Worker } from 'node:worker_threads';
import { bindUdp, type BoundUdp, type Peer } from '../../linux/udp-batch.ts';
import type { Logger } from '../../observe/log.ts';
import type { SocketAddress } from '../config.ts';
import type { DatagramListener } from '../listen/listener.ts';
import { within } from '../listen/within.ts';
import {
  clientAt,
  mostFinishMs,
  type Reading,
  readWithResponder,
  receiveBufferBytes,
  refuse,
} from '../listen/udp-batch.ts';
import { PatientQuestions } from '../overload/patient-questions.ts';
import { SlicedWork } from '../overload/sliced-work.ts';
import type { Answered, Responder } from '../responder.ts';
import { sharedWords, unpackQuestion, type Order, type Report } from './messages.ts';

/**
 * Threads that answer UDP: each has a socket of its own at every address (SO_REUSEPORT; the kernel spreads the askers). They
 * answer what is ready in shared memory. What is not, they hand over: the main thread answers through the same socket, and
 * from then on the answer is ready. When a thread ends, the main one reads its sockets.
 */
export class WorkerPool implements AsyncDisposable {
  readonly #threads: readonly Thread[];

  constructor(count: number, logger: Logger, start: StartThread = startThread) {
    this.#threads = Array.from({ length: count }, (_, index) => new Thread(index, logger, start));
  }

  /** Opens an address for all threads. Throws when a socket cannot be had. */
  listen(where: SocketAddress, responder: Responder): DatagramListener {
    using stack = new DisposableStack();
    let { port } = where;
    const sockets = this.#threads.map((thread) => {
      const socket = stack.use(bindUdp({ ...where, port, receiveBufferBytes, reusePort: true }));
      port = socket.port;
      return { thread, socket };
    });
    stack.move();
    const served = sockets.map(({ thread, socket }) => thread.serve(socket, responder));
    return {
      address: where.address,
      port,
      async renew() {
        await Promise.all(served.map((each) => each.renew()));
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(served.map((each) => each[Symbol.asyncDispose]()));
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()));
  }
}

type StartThread = (name: string) => Worker;

/** A thread makes next to nothing, so that its heap may be small. */
export const startThread: StartThread = (name) =>
  new Worker(new URL('./thread.ts', import.meta.url), { name, resourceLimits: { maxYoungGenerationSizeMb: 2 } });

class Thread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #served = new Map<number, Served>();
  readonly #ended: Promise<void>;
  #isAlive = true;
  #isEnding = false;
  #nextId = 0;

  constructor(index: number, logger: Logger, start: StartThread) {
    this.#worker = start(`dns-${index}`);
    this.#worker.unref();
    this.#worker.on('message', (report: Report) => this.#hear(report));
    this.#worker.on('error', (error) =>
      logger.error('a DNS thread failed; its work goes on in the main one', { error }),
    );
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#isAlive = false;
        for (const served of this.#served.values()) {
          if (this.#isEnding) served.stopped();
          else served.takeOver();
        }
        resolve();
      });
    });
  }

  serve(socket: BoundUdp, responder: Responder): Served {
    const id = this.#nextId;
    this.#nextId += 1;
    const order = (message: Order): void => this.#order(message);
    const served = new Served({ id, socket, responder, order, gone: () => this.#served.delete(id) });
    this.#served.set(id, served);
    if (!this.#isAlive) served.takeOver();
    return served;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    // Ended from outside it might be inside a foreign function that calls back, which ends the whole process.
    this.#order({ type: 'end' });
    await this.#ended;
  }

  #order(message: Order): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(message);
  }

  #hear(report: Report): void {
    const served = this.#served.get(report.id);
    if (report.type === 'stopped') served?.stopped();
    else if (report.type === 'became') served?.became();
    else if (report.type === 'dropped') served?.dropped(report.count);
    else served?.answer(report.packed);
  }
}

interface ServedParts {
  readonly id: number;
  readonly socket: BoundUdp;
  readonly responder: Responder;
  readonly order: (message: Order) => void;
  readonly gone: () => void;
}

/** One socket of one thread, as the main thread sees it. */
class Served implements AsyncDisposable {
  readonly #parts: ServedParts;
  readonly #shared = new SharedArrayBuffer(sharedWords.words * 4);
  readonly #words = new Int32Array(this.#shared);
  readonly #stopped = Promise.withResolvers<void>();
  /** Told in the order they were asked for. */
  readonly #renewals: (() => void)[] = [];
  #isRead = true;
  #reading: Reading | undefined;
  readonly #allAnswered = Promise.withResolvers<void>();
  readonly #patient: PatientQuestions;
  /** What the thread has handed over, in order, and where the next question is in the first. */
  readonly #handedOver: Buffer[] = [];
  #at = 0;
  readonly #work = new SlicedWork(() => this.#answerNext());
  #isOpen = true;
  #isLeaving = false;

  constructor(parts: ServedParts) {
    this.#parts = parts;
    this.#patient = new PatientQuestions({
      answer: (packet, peer) => this.#answerOne(packet, peer),
      drop: () => {
        parts.responder.dropped();
        this.#finished();
      },
    });
    const tally = parts.responder.openTally().memory;
    parts.order({ type: 'serve', id: parts.id, fd: parts.socket.fd, shared: this.#shared, tally });
    void this.renew();
  }

  /** Resolves when the thread answers from what the responder is now: before that it may give an answer of before. */
  renew(): Promise<void> {
    if (!this.#isRead) return Promise.resolve();
    this.#parts.order({ type: 'become', id: this.#parts.id, source: this.#parts.responder.source() });
    return new Promise((resolve) => void this.#renewals.push(resolve));
  }

  became(): void {
    this.#renewals.shift()?.();
  }

  dropped(count: number): void {
    this.#parts.responder.dropped(count);
  }

  /** Takes over what the thread could not answer, but for a slice of each turn: changes of the cluster come between. */
  answer(packed: Uint8Array): void {
    this.#handedOver.push(Buffer.from(packed.buffer, packed.byteOffset, packed.length));
    this.#work.schedule();
  }

  #answerNext(): boolean {
    const [packed] = this.#handedOver;
    if (packed === undefined) return false;
    this.#at = unpackQuestion(packed, this.#at, (packet, peer, isAnswered) => {
      if (isAnswered) this.#followOne(packet, peer);
      else if (this.#parts.responder.isOwn(packet, 0, packet.length)) void this.#answerOne(packet, peer);
      // A view of memory that is its own.
      else this.#patient.add(packet, peer);
    });
    if (this.#at === packed.length) {
      this.#handedOver.shift();
      this.#at = 0;
    }
    return true;
  }

  /** The thread is gone. */
  takeOver(): void {
    this.stopped();
    if (this.#isOpen) this.#reading ??= readWithResponder(this.#parts.socket, this.#parts.responder);
  }

  /** The thread does not read the socket any more. */
  stopped(): void {
    this.#isRead = false;
    for (const renewed of this.#renewals.splice(0)) renewed();
    this.#stopped.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await refuse(this.#parts.socket);
    this.#parts.order({ type: 'stop', id: this.#parts.id });
    await this.#stopped.promise;
    await this.#reading?.finish();
    this.#work.finish();
    this.#patient.finish();
    await this.#finishLate();
    this.#isOpen = false;
    this.#parts.gone();
    this.#parts.socket[Symbol.dispose]();
  }

  /** Waits for the answers that come later. */
  async #finishLate(): Promise<void> {
    this.#isLeaving = true;
    if (Atomics.load(this.#words, sharedWords.underWay) <= 0) return;
    await within(mostFinishMs, this.#allAnswered.promise);
  }

  #answerOne(packet: Buffer, peer: Peer): Promise<void> | undefined {
    const answered = this.#parts.responder.answer(packet, clientAt(peer));
    if (answered instanceof Promise) return answered.then((late) => this.#finish(late, peer));
    this.#finish(answered, peer);
    return undefined;
  }

  /** The thread has answered it. */
  #followOne(packet: Buffer, peer: Peer): void {
    this.#finished();
    this.#parts.responder.follow(packet, clientAt(peer));
  }

  #finish(answered: Answered | undefined, peer: Peer): void {
    this.#finished();
    if (answered === undefined || !this.#isOpen) return;
    const { responder, socket } = this.#parts;
    const out = Buffer.allocUnsafe(responder.size(answered));
    socket.send(peer, out.subarray(0, responder.write(answered, out, 0)));
  }

  /** One less is under way. */
  #finished(): void {
    if (Atomics.sub(this.#words, sharedWords.underWay, 1) === 1 && this.#isLeaving) this.#allAnswered.resolve();
  }
}
