/** What one benchmark found. `npm run bench -- NAME` prints it; `--json` prints it as the last line. */
export interface BenchResult {
  readonly bench: string;
  /** Figures by name, with the unit in the name where it differs from `unit`: `p50`, `p99`, `operationsPerChange`. */
  readonly figures: Readonly<Record<string, number>>;
  readonly unit: string;
  /** The same figure of the best known program, measured in the same run; undefined when none can run here. */
  readonly peer?: { readonly name: string; readonly figure: number };
  /** Ours divided by the peer's. */
  readonly ratio?: number;
  /** The target in words, from what this project set itself. */
  readonly target: string;
  readonly met: boolean;
}

/** The value below which the share `p` (0-1) of the samples lies. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = [...samples].toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}
