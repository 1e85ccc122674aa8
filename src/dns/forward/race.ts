import { wait } from '../../observe/clock.ts';
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

/**
 * Starts attempts one after the other: the next when one failed, gave an unusable answer, or keeps us waiting. A late answer
 * of an earlier attempt still counts. The first usable answer ends all others.
 */
export async function race(
  runners: readonly Runner[],
  isUsable: (message: Message) => string | undefined,
  signal: AbortSignal,
  clock: Clock,
): Promise<RaceResult> {
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  const reasons: string[] = [];
  const { promise: won, resolve: win } = Promise.withResolvers<RaceResult>();
  const attempt = async (runner: Runner, index: number): Promise<void> => {
    try {
      const message = await runner.start(all);
      const problem = isUsable(message);
      if (problem === undefined) {
        win({ message, runner: index });
        // At once: what waits below must not start another first.
        stop.abort();
      } else reasons.push(problem);
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  };
  const run = async (): Promise<RaceResult> => {
    const running: Promise<void>[] = [];
    for (const [index, runner] of runners.entries()) {
      const one = attempt(runner, index);
      running.push(one);
      const isLast = index === runners.length - 1;
      if (!isLast) await Promise.race([one, won, wait(clock, runner.patienceMs, all, 'holds')]);
      if (all.aborted) break;
    }
    await Promise.all(running);
    return { reasons };
  };
  try {
    return await Promise.race([won, run()]);
  } finally {
    stop.abort();
  }
}
