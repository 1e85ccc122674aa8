import type { Probe } from '../../api/core/pod/probe.ts';
import type { Verdict } from './state.ts';

/** Probe settings with Kubernetes' defaults. */
export interface ProbeTiming {
  readonly initialDelayMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

/** Reads the timing of a probe; what is 0 or absent gets its default. */
export function probeTiming(probe: Probe): ProbeTiming {
  return {
    initialDelayMs: (probe.initialDelaySeconds ?? 0) * 1000,
    periodMs: (probe.periodSeconds || 10) * 1000,
    timeoutMs: (probe.timeoutSeconds || 1) * 1000,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
  };
}

/** Results in a row. */
export interface ProbeCount {
  readonly verdict: Verdict;
  readonly lastOk: boolean | undefined;
  readonly run: number;
}

/** A readiness probe starts as failed, a liveness probe as passed, a startup probe open. */
export const newCount: ProbeCount = { verdict: 'unknown', lastOk: undefined, run: 0 };

/** Counts one more result; the verdict changes when enough of them agree. */
export function countProbe(count: ProbeCount, isOk: boolean, timing: ProbeTiming): ProbeCount {
  const run = count.lastOk === isOk ? count.run + 1 : 1;
  const needed = isOk ? timing.successThreshold : timing.failureThreshold;
  const verdict = run >= needed ? (isOk ? 'success' : 'failure') : count.verdict;
  return { verdict, lastOk: isOk, run };
}
