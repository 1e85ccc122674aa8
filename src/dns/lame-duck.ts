import { setTimeout as delay } from 'node:timers/promises';

/** A server that nobody asked for this long has no clients any more. */
const quietMs = 1000;
const lookEveryMs = 50;

export interface LameDuckOptions {
  /** Milliseconds to stay at most. */
  readonly mostMs: number;
  /** Whether clients are still sent here: an EndpointSlice of the DNS Service has this server as ready. */
  readonly isAdvertised: () => boolean;
  /** Queries so far. */
  readonly queries: () => number;
}

/**
 * Resolves when a server that was told to end may stop answering: no client is sent here any more, as the API says it, and
 * none has asked for a second (a proxy may have been slower to hear of it), or its time is over. A fixed sleep would be
 * either too short for a slow cluster or a delay for every other.
 */
export async function lameDuck({ mostMs, isAdvertised, queries }: LameDuckOptions): Promise<void> {
  const endMs = performance.now() + mostMs;
  let quietSinceMs = performance.now();
  let seen = queries();
  for (;;) {
    const nowMs = performance.now();
    if (queries() !== seen || isAdvertised()) quietSinceMs = nowMs;
    seen = queries();
    if (nowMs >= endMs || nowMs - quietSinceMs >= quietMs) return;
    await delay(lookEveryMs);
  }
}
