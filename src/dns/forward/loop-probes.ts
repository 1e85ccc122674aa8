import { randomBytes } from 'node:crypto';
import { every } from '../../observe/clock.ts';
import type { Clock } from '../../observe/clock.ts';
import { nameFromLabels } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { typeNumbers } from '../wire/types.ts';
import type { Upstream } from './upstream.ts';

/** Questions about names below it are only ever asked by this program, about itself. */
const probeLabel = 'fairlead-loop-probe';
/** How often every upstream is probed: a loop may come with a change of somebody else's settings. */
const everyMs = 60_000;
const timeoutMs = 2000;

/**
 * Finds upstream servers that send our questions back to us. Each is asked about a name that nobody can guess; when that
 * question arrives here, it came through that upstream, which is not asked any more until a probe comes through no more.
 */
export class LoopProbes implements Disposable {
  readonly #upstreams: readonly Upstream[];
  readonly #onLoop: (upstream: Upstream) => void;
  readonly #sent = new Map<Name, Upstream>();
  readonly #timer: Disposable;

  constructor(upstreams: readonly Upstream[], onLoop: (upstream: Upstream) => void, clock: Clock) {
    this.#upstreams = upstreams;
    this.#onLoop = onLoop;
    this.#timer = every(clock, everyMs, () => void this.probe());
  }

  /** Whether a question (name in lower case) is one of ours that came back; its upstream is set aside. */
  isOwn(key: Name): boolean {
    if (!key.endsWith(suffix)) return false;
    const upstream = this.#sent.get(key);
    if (upstream !== undefined) {
      this.#sent.delete(key);
      if (!upstream.isLooping) this.#onLoop(upstream);
      upstream.isLooping = true;
    }
    return true;
  }

  /** Asks every upstream once. Resolves when all have answered or had their time. */
  async probe(): Promise<void> {
    await Promise.all(this.#upstreams.map((upstream) => this.#probeOne(upstream)));
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  async #probeOne(upstream: Upstream): Promise<void> {
    const name = `\x20${randomBytes(16).toString('hex')}${suffix}`;
    this.#sent.set(name, upstream);
    const question = { name, type: typeNumbers.HINFO, class: 1 };
    const signal = new AbortController().signal;
    const options = { dnssecOk: false, checkingDisabled: false, timeoutMs, signal };
    await upstream.ask(question, options).catch(() => undefined);
    // Still there: it did not come back.
    if (this.#sent.delete(name)) upstream.isLooping = false;
  }
}

const suffix: Name = nameFromLabels([probeLabel]) ?? '\0';
