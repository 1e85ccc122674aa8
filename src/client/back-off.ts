import { setTimeout as delay } from 'node:timers/promises';

export interface BackOff {
  /** Wait before the second try, in milliseconds. */
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * How long to wait after `failures` failures in a row (1 and up), in milliseconds: doubling from `baseMs` to `maxMs`,
 * of which a random half is jitter. `random` is in [0, 1).
 */
export function backOffMs(failures: number, { baseMs, maxMs }: BackOff, random: number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 52));
  return full / 2 + (full / 2) * random;
}

/** Resolves after `ms`, or at once when the signal aborts; never rejects. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
