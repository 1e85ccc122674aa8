/**
 * Time as a parameter: what waits or measures takes a clock, so that a test can move time on by hand (`fake-clock.ts`).
 */
export interface Clock {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Milliseconds since some moment; never goes back. */
  readonly monotonic: () => number;
  /** Calls once, `ms` from now, unless disposed of before. Only a wait that `holds` keeps the process alive. */
  readonly after: (ms: number, call: () => void, holds?: 'holds') => Disposable;
}

/** The machine's. */
export const systemClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  after(ms, call, holds) {
    const timer = setTimeout(call, ms);
    if (holds === undefined) timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** Calls every `ms` until disposed of; does not keep the process alive. */
export function every(clock: Clock, ms: number, call: () => void): Disposable {
  let next = clock.after(ms, tick);
  function tick(): void {
    next = clock.after(ms, tick);
    call();
  }
  return { [Symbol.dispose]: () => next[Symbol.dispose]() };
}

/** Resolves after `ms`, or at once when the signal aborts; never rejects. */
export function wait(clock: Clock, ms: number, signal: AbortSignal, holds?: 'holds'): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer[Symbol.dispose]();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.after(ms, end, holds);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
