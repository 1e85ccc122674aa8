import { setImmediate } from 'node:timers/promises';
import type { Clock } from './clock.ts';

interface Waiting {
  readonly dueMs: number;
  readonly call: () => void;
}

/** Turns of the event loop in which everything that does not wait for time has come to rest. */
const turns = 4;

/** A clock that stands still until it is moved. What it wakes runs before it moves on, so every run is the same. */
export class FakeClock implements Clock {
  readonly #startMs: number;
  #nowMs: number;
  /** In the order in which they were made: equal times go off in it. */
  readonly #waiting = new Set<Waiting>();

  /** Unix milliseconds. */
  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  readonly now = (): number => this.#nowMs;

  readonly monotonic = (): number => this.#nowMs - this.#startMs;

  readonly after = (ms: number, call: () => void): Disposable => {
    const waiting = { dueMs: this.#nowMs + Math.max(0, ms), call };
    this.#waiting.add(waiting);
    return { [Symbol.dispose]: () => void this.#waiting.delete(waiting) };
  };

  /** Lets everything run that does not wait for time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) await setImmediate();
  }

  /** Moves on by `ms`, stopping wherever something waits. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.settle();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      this.#waiting.delete(next);
      next.call();
      await this.settle();
    }
    this.#nowMs = endMs;
  }

  #next(endMs: number): Waiting | undefined {
    let first: Waiting | undefined;
    for (const each of this.#waiting) {
      if (each.dueMs <= endMs && (first === undefined || each.dueMs < first.dueMs)) first = each;
    }
    return first;
  }
}
