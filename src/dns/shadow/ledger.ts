import type { Logger } from '../../observe/log.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import { typeLabelNumber, typeLabels } from '../coredns-names.ts';

/** How a comparison ended. */
const outcomes = ['same', 'different', 'explained', 'passing', 'unanswered', 'skipped'] as const;
export type Outcome = (typeof outcomes)[number];

/** Two answers that differ, in words. */
export interface Kept {
  /** `cart.shop.svc.cluster.local. A`. */
  readonly question: string;
  readonly differences: readonly string[];
  readonly ours: string;
  readonly theirs: string;
  /** Of a difference that is meant. */
  readonly explanation: string | undefined;
  /** Unix milliseconds. */
  readonly atMs: number;
}

/** Differences that are kept, one for each question. */
const mostKept = 100;
/** A difference is logged at most this often; all are kept and counted. */
const logEveryMs = 1000;

/** What comparing has found: counts by type, and the latest differences. */
export class Ledger {
  readonly #counter: Counter;
  readonly #logger: Logger;
  readonly #kept = new Map<string, Kept & { readonly times: number }>();
  #loggedMs = 0;

  constructor(metrics: Metrics, logger: Logger) {
    this.#logger = logger;
    this.#counter = metrics.counter({
      name: 'fairlead_dns_shadow_total',
      help: 'Questions that another server was asked too, by how the answers compare.',
      labels: ['type', 'result'],
    });
  }

  count(type: number, result: Outcome): void {
    this.#counter.inc({ type: typeLabels[typeLabelNumber(type)] ?? '', result });
  }

  keep(found: Kept): void {
    const times = (this.#kept.get(found.question)?.times ?? 0) + 1;
    this.#kept.delete(found.question);
    this.#kept.set(found.question, { ...found, times });
    const oldest = this.#kept.size > mostKept ? this.#kept.keys().next().value : undefined;
    if (oldest !== undefined) this.#kept.delete(oldest);
    if (found.explanation === undefined) this.#log(found);
  }

  /** Everything as text, the newest difference first. */
  lines(): string[] {
    const rows = typeLabels
      .map((type) => [type, ...outcomes.map((result) => String(this.#counter.value({ type, result })))])
      .filter(([, ...counts]) => counts.some((count) => count !== '0'));
    const table = [['type', ...outcomes], ...rows].map((row) =>
      row
        .map((cell) => cell.padEnd(12))
        .join('')
        .trimEnd(),
    );
    return [...table, '', ...[...this.#kept.values()].toReversed().flatMap(linesOf)];
  }

  #log({ question, differences, ours, theirs, atMs }: Kept): void {
    if (atMs - this.#loggedMs < logEveryMs) return;
    this.#loggedMs = atMs;
    this.#logger.warn('the shadow answers otherwise', { question, differences: differences.join('; '), ours, theirs });
  }
}

function linesOf({
  question,
  differences,
  ours,
  theirs,
  explanation,
  atMs,
  times,
}: Kept & { times: number }): string[] {
  return [
    `${new Date(atMs).toISOString()} ${question} (${times} ${times === 1 ? 'time' : 'times'})`,
    ...(explanation === undefined ? differences : [`as meant: ${explanation}`]).map((line) => `  ${line}`),
    `  here:  ${ours}`,
    `  there: ${theirs}`,
  ];
}
