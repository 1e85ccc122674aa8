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
  /** When the container started; the initial delay counts from then. Unix milliseconds. */
  readonly startedMs: number;
  readonly now: () => number;
  run(timeoutMs: number): Promise<ProbeOutcome>;
  /** Called with every result; `verdict` is what the results so far amount to. */
  onResult(outcome: ProbeOutcome, verdict: Verdict): void;
}

/** Runs a probe: first as soon as its initial delay is over, then once a period; runs never overlap. */
export function startProber({ probe, initial, startedMs, now, run, onResult }: ProberOptions): Prober {
  const timing = probeTiming(probe);
  let count: ProbeCount = { ...newCount, verdict: initial };
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function once(): Promise<void> {
    const beganMs = now();
    const outcome = await run(timing.timeoutMs);
    if (isStopped) return;
    count = countProbe(count, outcome.isOk, timing);
    onResult(outcome, count.verdict);
    if (!isStopped) timer = setTimeout(() => void once(), Math.max(0, beganMs + timing.periodMs - now()));
  }

  timer = setTimeout(() => void once(), Math.max(0, startedMs + timing.initialDelayMs - now()));
  return {
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
