import type { Feature } from '../limits.ts';
import type { Check } from './check.ts';

/** Keeps the limits of a plane true: what they left out, and what passed although a limit says it cannot. */
export class Tally {
  readonly #limits: Readonly<Partial<Record<Feature, string>>>;
  readonly #needed = new Set<Feature>();
  readonly #leftOut = new Map<string, number>();
  readonly #passed: string[] = [];

  constructor(limits: Readonly<Partial<Record<Feature, string>>>) {
    this.#limits = limits;
  }

  /** Those of the needs that the plane lacks. */
  lacking(needs: readonly Feature[]): readonly Feature[] {
    return [...new Set(needs)].filter((feature) => this.#limits[feature] !== undefined);
  }

  /** The problem that a check of a case found, if the plane should have passed it; `what` names the check. */
  judge(check: Check, title: string, what: string): string | undefined {
    const lacking = this.lacking(check.needs);
    if (lacking.length === 0) return check.problem && `${what}: ${check.problem}`;
    for (const feature of lacking) this.#needed.add(feature);
    if (check.problem === undefined && check.isEvidence)
      this.#passed.push(`${title}: ${what} passes without ${lacking.join(', ')}`);
    // Nobody can do anything instead where the caller does not exist.
    if (check.insteadProblem === undefined || lacking.includes('outside-callers')) {
      const line = `${title}: for want of ${lacking.join(', ')}`;
      this.#leftOut.set(line, (this.#leftOut.get(line) ?? 0) + 1);
      return undefined;
    }
    const { problem } = check.insteadProblem;
    return problem && `${what}, without ${lacking.join(', ')}: ${problem}`;
  }

  /** How many checks of which case were not held against the plane, in words. */
  leftOut(): readonly string[] {
    return [...this.#leftOut].map(([line, count]) => `left out ${count} of ${line}`);
  }

  /** What shows that the table of limits is wrong. */
  untrueLimits(): readonly string[] {
    const idle = (Object.keys(this.#limits) as Feature[]).filter((feature) => !this.#needed.has(feature));
    return [...idle.map((feature) => `no case needs ${feature}`), ...this.#passed];
  }
}
