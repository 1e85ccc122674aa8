import type { Backend } from './frontend.ts';
import type { Selection } from './selection.ts';

/** A new backend has this many shares one after the other, from a tenth to the whole: the last from the end of the time. */
const steps = 10;

/** Time, for decisions that depend on it. */
export interface Clock {
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** False until the first complete state: what is there then has its full share. */
  readonly isRunning: boolean;
}

/** Since when (Unix milliseconds) each backend that gets connections has got them, by port of the Service, then by backend. */
export type Openings = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** What a slow start leaves for the next decision. */
export interface Growth {
  readonly openings: Openings;
  /** When the next share grows, in Unix milliseconds; undefined when all are full. */
  readonly nextAtMs: number | undefined;
}

/** The time of backends that need no slow start. */
const longAgo = 0;

/**
 * The slow start of one Service, through one decision. A backend that appears, or becomes ready, while others of its port
 * get connections starts with a tenth of its weight. Weights are whole: everyone's is multiplied by what the steps need,
 * and all are plain again when the last newcomer has its full share.
 */
export class SlowStart {
  readonly #lengthMs: number;
  readonly #clock: Clock;
  readonly #before: Openings;
  readonly #openings = new Map<string, ReadonlyMap<string, number>>();
  #nextAtMs: number | undefined;

  constructor(lengthMs: number, clock: Clock, before: Openings | undefined) {
    this.#lengthMs = lengthMs;
    this.#clock = clock;
    this.#before = before ?? new Map();
  }

  end(): Growth {
    return { openings: this.#openings, nextAtMs: this.#nextAtMs };
  }

  /** Gives the chosen backends of a port their present weights. */
  apply(port: string, selection: Selection): Selection {
    const openings = this.#note(port, selection.open);
    const stepOf = (backend: Backend): number => this.#stepAt(openings.get(nameOf(backend)) ?? longAgo);
    for (const since of openings.values()) this.#plan(since);
    return { ...selection, cluster: scale(selection.cluster, stepOf), local: scale(selection.local, stepOf) };
  }

  #note(port: string, open: readonly Backend[]): ReadonlyMap<string, number> {
    const before = this.#before.get(port);
    const newcomer = this.#clock.isRunning && before !== undefined && before.size > 0 ? this.#clock.nowMs : longAgo;
    const openings = new Map(open.map(nameOf).map((name) => [name, before?.get(name) ?? newcomer]));
    this.#openings.set(port, openings);
    return openings;
  }

  /** 1 to 10; whole numbers until the division, so that a step begins exactly when it was planned. A clock that was set back stays at the first step. */
  #stepAt(sinceMs: number): number {
    const passed = Math.floor(((this.#clock.nowMs - sinceMs) * (steps - 1)) / this.#lengthMs);
    return Math.min(Math.max(passed, 0) + 1, steps);
  }

  #plan(sinceMs: number): void {
    const step = this.#stepAt(sinceMs);
    if (step === steps) return;
    const atMs = Math.ceil(sinceMs + (this.#lengthMs * step) / (steps - 1));
    this.#nextAtMs = Math.min(atMs, this.#nextAtMs ?? atMs);
  }
}

function nameOf({ address, port }: Backend): string {
  return `${address} ${port}`;
}

/** The same backends when all are at the same step. */
function scale(backends: readonly Backend[], stepOf: (backend: Backend) => number): readonly Backend[] {
  const factors = backends.map(stepOf);
  if (factors.every((factor) => factor === factors[0])) return backends;
  const divisor = factors.reduce(greatestCommonDivisor, 0);
  return backends.map((backend, index) => ({
    ...backend,
    weight: (backend.weight * (factors[index] ?? steps)) / divisor,
  }));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
