import type { Probe } from '../../api/core/pod/probe.ts';
import type { ProbeCount } from '../pod/probe-counter.ts';
import { countProbe, newCount, probeTiming } from '../pod/probe-counter.ts';
import type { Verdict } from '../pod/state.ts';
import type { ProbeOutcome } from './outcome.ts';

/** A probe that is run again and again until stopped. */
export interface Prober {
  stop(): void;
}

export interface ProberOptions {
  readonly probe: Probe;
  /** What is known already, of a container that was taken over. */
  readonly initial: Verdict;
  /**
   * Also try between the periods until the first success, soon at first and then ever more rarely: a server that needs a
   * moment to start is not left out for a whole period. Failures of these tries count for nothing.
   */
  readonly isEager: boolean;
  /** When the container started; the initial delay counts from then. Unix milliseconds. */
  readonly startedMs: number;
  readonly now: () => number;
  run(timeoutMs: number): Promise<ProbeOutcome>;
  /** Called with every result that counts; `verdict` is what the results so far amount to. */
  onResult(outcome: ProbeOutcome, verdict: Verdict): void;
}

/** How long after a failed first try the next one comes; then twice as long each time. */
const firstEagerMs = 25;

/** Runs a probe: first as soon as its initial delay is over, then once a period; runs never overlap. */
export function startProber(options: ProberOptions): Prober {
  const { probe, initial, startedMs, now, run, onResult } = options;
  const timing = probeTiming(probe);
  const firstMs = Math.max(now(), startedMs + timing.initialDelayMs);
  let count: ProbeCount = { ...newCount, verdict: initial };
  let isEager = options.isEager && initial !== 'success';
  let eagerMs = firstEagerMs;
  /** When the next run comes whose result counts either way. */
  let dueMs = isEager ? firstMs + timing.periodMs : firstMs;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function once(): Promise<void> {
    const beganMs = now();
    const outcome = await run(timing.timeoutMs);
    if (isStopped) return;
    if (outcome.isOk) isEager = false;
    if (outcome.isOk || beganMs >= dueMs) {
      dueMs = beganMs + timing.periodMs;
      count = countProbe(count, outcome.isOk, timing);
      onResult(outcome, count.verdict);
    }
    if (isStopped) return;
    schedule(isEager ? Math.min(dueMs, now() + eagerMs) : dueMs);
    eagerMs *= 2;
  }

  function schedule(atMs: number): void {
    timer = setTimeout(() => void once(), Math.max(0, atMs - now()));
  }

  schedule(firstMs);
  return {
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
