import type { Clock } from '../../observe/clock.ts';
import type { Message } from '../wire/message.ts';

/** One attempt of a race: how to make it, and after how long without an answer the next one starts beside it. */
export interface Runner {
  readonly start: (signal: AbortSignal) => Promise<Message>;
  readonly patienceMs: number;
}

/** The answer that won, or why there is none. */
export type RaceResult =
  | { readonly message: Message; readonly runner: number }
  | { readonly reasons: readonly string[] };

/** Given as a reason, because one made anew for every question is costly. */
const over = new Error('another answered');

/**
 * Starts attempts one after the other: the next when one failed, gave an unusable answer, or keeps us waiting. A late answer
 * of an earlier attempt still counts. The first usable answer ends all others: it aborts `stop`, which ends the race from
 * outside, too.
 */
export function race(
  runners: readonly Runner[],
  isUsable: (message: Message) => string | undefined,
  stop: AbortController,
  clock: Clock,
): Promise<RaceResult> {
  const { promise, resolve } = Promise.withResolvers<RaceResult>();
  const reasons: string[] = [];
  let patience: Disposable | undefined;
  let started = 0;
  let running = 0;

  function startNext(): void {
    patience?.[Symbol.dispose]();
    const runner = runners[started];
    if (runner === undefined || stop.signal.aborted) {
      if (running === 0) resolve({ reasons });
      return;
    }
    const index = started;
    started += 1;
    running += 1;
    if (started < runners.length) patience = clock.after(runner.patienceMs, startNext, 'holds');
    void runner.start(stop.signal).then(
      (message) => finished(index, isUsable(message), message),
      (error: unknown) => finished(index, error instanceof Error ? error.message : String(error)),
    );
  }

  function finished(index: number, problem: string | undefined, message?: Message): void {
    running -= 1;
    if (problem === undefined && message !== undefined) {
      patience?.[Symbol.dispose]();
      resolve({ message, runner: index });
      if (running > 0) stop.abort(over);
      return;
    }
    reasons.push(problem ?? '');
    if (index === started - 1 || running === 0) startNext();
  }

  startNext();
  return promise;
}
