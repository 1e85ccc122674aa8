import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when `work` has ended in any way, or after so many milliseconds. */
export async function within(mostMs: number, work: Promise<unknown>): Promise<void> {
  const isDone = new AbortController();
  const over = delay(mostMs, undefined, { signal: isDone.signal });
  await Promise.allSettled([Promise.race([work, over]).finally(() => isDone.abort())]);
}
