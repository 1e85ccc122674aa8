import type { Router, RouterChanges } from '../routing/router.ts';

/** The longest time that a timer can wait, in milliseconds. */
const longestWaitMs = 2 ** 31 - 1;

/** Wakes the router when time alone changes what it decides: shares of new backends that grow. */
export class Ticker implements Disposable {
  readonly #router: Router;
  readonly #now: () => number;
  readonly #onTick: (changes: RouterChanges) => void;
  #plannedMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `now` is the router's clock; `onTick` hears what a tick changed. */
  constructor(router: Router, now: () => number, onTick: (changes: RouterChanges) => void) {
    this.#router = router;
    this.#now = now;
    this.#onTick = onTick;
  }

  /** To be called after every change. */
  plan(): void {
    const atMs = this.#router.nextTickAtMs();
    if (atMs === this.#plannedMs) return;
    this[Symbol.dispose]();
    if (atMs === undefined) return;
    this.#plannedMs = atMs;
    const waitMs = Math.min(Math.max(atMs - this.#now(), 0), longestWaitMs);
    this.#timer = setTimeout(() => this.tick(), waitMs).unref();
  }

  /** To be called once when the router knows everything; after that the time calls it. */
  tick(): void {
    this.#plannedMs = undefined;
    this.#onTick(this.#router.tick());
    this.plan();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#plannedMs = undefined;
  }
}
