import type { Peer } from '../../linux/udp-batch.ts';
import { FairQueue } from './fair-queue.ts';
import { FairSlots } from './fair-slots.ts';
import { SlicedWork } from './sliced-work.ts';

/** Questions of one listener that wait to be taken up, and that wait for others' answers. */
const mostWaiting = 1024;
const mostUnderWay = 2048;

export interface PatientOptions {
  /** Takes a question up; a promise is one that others have to answer first. */
  readonly answer: (packet: Buffer, peer: Peer) => Promise<unknown> | undefined;
  /** Told of a question that is never taken up. */
  readonly drop: () => void;
}

interface Question {
  readonly client: string;
  readonly packet: Buffer;
  readonly peer: Peer;
}

/**
 * UDP questions that can wait: those about names of others. They are taken up when nothing waits at the sockets, or a
 * millisecond's worth of them between two looks there; clients take turns, the newest first. More than fit are dropped: whoever
 * asked asks again.
 */
export class PatientQuestions {
  readonly #options: PatientOptions;
  readonly #waiting = new FairQueue<Question>(mostWaiting);
  readonly #underWay = new FairSlots(mostUnderWay);
  readonly #work = new SlicedWork(() => this.#takeNext());

  constructor(options: PatientOptions) {
    this.#options = options;
  }

  /** Both are kept: give copies. */
  add(packet: Buffer, peer: Peer): void {
    const client = clientOf(peer);
    if (this.#waiting.push(client, { client, packet, peer }) !== undefined) this.#options.drop();
    this.#work.schedule();
  }

  /** Takes up all that waits. */
  finish(): void {
    this.#work.finish();
  }

  #takeNext(): boolean {
    const question = this.#waiting.take();
    if (question === undefined) return false;
    this.#takeUp(question);
    return true;
  }

  #takeUp({ client, packet, peer }: Question): void {
    const slot = this.#underWay.take(client, performance.now(), () => undefined);
    if (slot === undefined) return this.#options.drop();
    const late = this.#options.answer(packet, peer);
    if (late === undefined) slot.giveBack();
    else void late.finally(slot.giveBack);
  }
}

/** The address of a socket address as bytes, without its port: `sockaddr_in` has it at 4, `sockaddr_in6` at 8. */
export function clientOf(peer: Peer): string {
  const address = peer.length === 16 ? peer.subarray(4, 8) : peer.subarray(8, 24);
  return String.fromCharCode(...address);
}
