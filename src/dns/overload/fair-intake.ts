import { admit, queueOf } from '../../linux/udp-admission.ts';
import type { Datagram } from '../../linux/udp-batch.ts';
import type { Queue } from './shares.ts';
import { sharesOf } from './shares.ts';

/** Milliseconds between two looks at a queue. */
const lookEveryMs = 20;
/** A queue as full as this makes us count who fills it. */
const countFromFill = 1 / 16;
/** What waits for more looks than this is old: most of it is not answered. */
const mostWaitLooks = 3;
/** What the kernel takes a short datagram for in a queue: its bytes with all that it keeps of it. */
const datagramBytes = 768;
/** Clients with a rule at most: the others are let in. */
const mostRules = 64;
/** Who asks little is not seen at every look; who was not seen at so many is gone. */
const mostSilentLooks = 50;
/** Clients counted at most. */
const mostCounted = 4096;

interface Counted {
  readonly address: Uint8Array;
  count: number;
  share: number;
  /** Of its datagrams that came under earlier rules, what is answered. */
  keep: number;
  silentLooks: number;
}

/**
 * Keeps a socket fair while more comes than can be answered: its queue is the kernel's, and who sends most has most of it. Of
 * those the kernel drops a share from then on, so that all others get in. Nothing is done, and hardly anything
 * counted, while the queue is short.
 */
export class FairIntake implements Disposable {
  readonly #fd: number;
  readonly #onDropped: (count: number) => void;
  readonly #clients = new Map<number, Counted>();
  #isCounting = false;
  #hasRules = false;
  #lookedAtMs = 0;
  #dropped = 0;
  /** Datagrams in the queue that came under earlier rules, and are too many. */
  #backlog = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `onDropped` is told how many datagrams did not come in. */
  constructor(fd: number, onDropped: (count: number) => void) {
    this.#fd = fd;
    this.#onDropped = onDropped;
  }

  /** Counts a datagram; false when it is not to be answered: it is old, and its sender has too many of those. */
  admits(datagram: Datagram): boolean {
    if (!this.#isCounting) return true;
    const client = this.#clientOf(datagram);
    if (client === undefined) return true;
    if (this.#backlog > 0) {
      this.#backlog -= 1;
      if (Math.random() >= client.keep) {
        this.#onDropped(1);
        return false;
      }
    }
    client.count += 1;
    return true;
  }

  /** To be called when some datagrams have been read. */
  look(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs < lookEveryMs) return;
    this.#lookedAtMs = nowMs;
    const { bytes, mostBytes, dropped } = queueOf(this.#fd);
    const isShort = bytes < mostBytes * countFromFill;
    if (isShort) this.#backlog = 0;
    // The figures of now come from earlier rules.
    if (this.#backlog > 0) return;
    const sinceLast = (dropped - this.#dropped) >>> 0;
    this.#dropped = dropped;
    if (sinceLast > 0) this.#onDropped(sinceLast);
    const [waiting, most] = [bytes / datagramBytes, mostBytes / datagramBytes];
    if (this.#isCounting) this.#share({ waiting, most, dropped: sinceLast });
    this.#isCounting = this.#hasRules || !isShort;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    if (this.#hasRules) admit(this.#fd, []);
    this.#hasRules = false;
    this.#isCounting = false;
  }

  #clientOf({ bytes, peerAt, peerLength }: Datagram): Counted | undefined {
    const [from, to] = peerLength === 16 ? [peerAt + 4, peerAt + 8] : [peerAt + 8, peerAt + 24];
    let key = 0;
    for (let at = from; at < to; at += 1) key = (Math.imul(key, 16_777_619) ^ (bytes[at] ?? 0)) | 0;
    const known = this.#clients.get(key);
    if (known !== undefined || this.#clients.size >= mostCounted) return known;
    const client = { address: Uint8Array.from(bytes.subarray(from, to)), count: 0, share: 1, keep: 1, silentLooks: 0 };
    this.#clients.set(key, client);
    return client;
  }

  #share(queue: Queue): void {
    const clients = [...this.#clients.values()];
    const shares = sharesOf(clients, queue);
    const read = clients.reduce((sum, { count }) => sum + count, 0);
    if (queue.waiting > mostWaitLooks * read) this.#backlog = Math.ceil(queue.waiting);
    for (const [at, client] of clients.entries()) {
      client.keep = (shares[at] ?? 1) / client.share;
      client.silentLooks = client.count > 0 ? 0 : client.silentLooks + 1;
      client.count = 0;
      client.share = shares[at] ?? 1;
    }
    for (const [key, { silentLooks }] of this.#clients) if (silentLooks > mostSilentLooks) this.#clients.delete(key);
    this.#rule(clients.filter(({ share }) => share < 1));
  }

  #rule(limited: readonly Counted[]): void {
    const rules = limited.toSorted((a, b) => a.share - b.share).slice(0, mostRules);
    if (rules.length > 0 || this.#hasRules) admit(this.#fd, rules);
    this.#hasRules = rules.length > 0;
    // Who was too much may have stopped, and then nothing comes that would make us look.
    clearTimeout(this.#timer);
    if (this.#hasRules) this.#timer = setTimeout(() => this.look(), 2 * lookEveryMs).unref();
  }
}
