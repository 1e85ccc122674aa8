import type { Scheduler } from '../../routing/scheduler.ts';

/** A backend that may get the next connection. */
export interface Candidate {
  readonly name: string;
  /** Above 0. */
  readonly weight: number;
}

/** Who calls, and what: what the consistent schedulers hash. */
export interface Caller {
  readonly client: string;
  /** The address that was called. */
  readonly called: string;
}

/** What the least-connection schedulers see, and where `random` draws from: a number in [0, 1). */
export interface ScheduleInputs {
  readonly openConnections: (name: string) => number;
  readonly random: () => number;
}

/**
 * Chooses among backends as the scheduler says (`routing/scheduler.ts`); without one, in turn by weight. Like IPVS, `rr`
 * and `lc` do not look at weights. A frontend has one destination, so `lblc` and `lblcr` are `wlc` here. Pure but for
 * whose turn it is.
 */
export class Schedule {
  readonly #inputs: ScheduleInputs;
  /** What each backend is owed: the most owed is next (smooth weighted round robin). */
  readonly #owed = new Map<string, number>();

  constructor(inputs: ScheduleInputs) {
    this.#inputs = inputs;
  }

  /** Forgets backends that went. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#owed.keys()) if (!names.has(name)) this.#owed.delete(name);
  }

  /** One of the candidates; undefined when there are none. */
  choose(scheduler: Scheduler | undefined, candidates: readonly Candidate[], caller: Caller): Candidate | undefined {
    const { openConnections } = this.#inputs;
    switch (scheduler) {
      case 'random':
        return drawByWeight(candidates, this.#inputs.random());
      case 'sh':
      case 'mh':
        return highestScore(candidates, caller.client);
      case 'dh':
        return highestScore(candidates, caller.called);
      case 'rr':
        return this.#inTurn(candidates, () => 1);
      case 'lc':
        return this.#cheapest(candidates, ({ name }) => openConnections(name));
      case 'wlc':
      case 'lblc':
      case 'lblcr':
        return this.#cheapest(candidates, ({ name, weight }) => openConnections(name) / weight);
      case 'sed':
        return this.#cheapest(candidates, (candidate) => this.#expectedDelay(candidate));
      case 'nq':
        return this.#cheapest(candidates, (candidate) =>
          openConnections(candidate.name) === 0 ? 0 : this.#expectedDelay(candidate),
        );
      case 'wrr':
      case undefined:
        return this.#inTurn(candidates, ({ weight }) => weight);
    }
  }

  #expectedDelay({ name, weight }: Candidate): number {
    return (this.#inputs.openConnections(name) + 1) / weight;
  }

  /** The cheapest; those that cost the same take turns. */
  #cheapest(candidates: readonly Candidate[], cost: (candidate: Candidate) => number): Candidate | undefined {
    const costs = candidates.map(cost);
    const least = Math.min(...costs);
    return this.#inTurn(
      candidates.filter((_, at) => costs[at] === least),
      () => 1,
    );
  }

  #inTurn(candidates: readonly Candidate[], share: (candidate: Candidate) => number): Candidate | undefined {
    let next: Candidate | undefined;
    let most = Number.NEGATIVE_INFINITY;
    let total = 0;
    for (const candidate of candidates) {
      const owed = (this.#owed.get(candidate.name) ?? 0) + share(candidate);
      this.#owed.set(candidate.name, owed);
      total += share(candidate);
      if (owed > most) [next, most] = [candidate, owed];
    }
    if (next !== undefined) this.#owed.set(next.name, most - total);
    return next;
  }
}

function drawByWeight(candidates: readonly Candidate[], random: number): Candidate | undefined {
  let left = random * candidates.reduce((sum, { weight }) => sum + weight, 0);
  for (const candidate of candidates) {
    left -= candidate.weight;
    if (left < 0) return candidate;
  }
  return candidates.at(-1);
}

/**
 * Weighted rendezvous hashing: each backend scores every text anew, and the highest wins. A backend that goes moves only
 * its own callers; one that comes takes its share from all.
 */
function highestScore(candidates: readonly Candidate[], text: string): Candidate | undefined {
  let best: Candidate | undefined;
  let most = Number.NEGATIVE_INFINITY;
  for (const candidate of candidates) {
    const score = candidate.weight / -Math.log(hashToUnit(`${text} ${candidate.name}`));
    if (score > most) [best, most] = [candidate, score];
  }
  return best;
}

/** FNV-1a with MurmurHash3's finish, as a number in (0, 1). */
function hashToUnit(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000 + 2 ** -33;
}
