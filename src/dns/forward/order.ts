import type { ForwardSettings } from '../settings/settings.ts';
import type { Upstream } from './upstream.ts';

/** In which order the upstream servers of a zone are asked; those set aside come last, looping ones never. */
export class UpstreamOrder {
  readonly #upstreams: readonly Upstream[];
  readonly #policy: ForwardSettings['policy'];
  readonly #random: () => number;
  #turn = 0;

  /** `random` gives numbers in [0, 1). */
  constructor(upstreams: readonly Upstream[], policy: ForwardSettings['policy'], random: () => number) {
    this.#upstreams = upstreams;
    this.#policy = policy;
    this.#random = random;
  }

  next(): readonly Upstream[] {
    const usable = this.#upstreams.filter(({ isLooping }) => !isLooping);
    const first = this.#policy === 'sequential' ? 0 : this.#start(usable.length);
    const turned = [...usable.slice(first), ...usable.slice(0, first)];
    return turned.toSorted((a, b) => Number(a.isAside) - Number(b.isAside));
  }

  #start(count: number): number {
    if (this.#policy === 'random') return Math.floor(this.#random() * count);
    this.#turn = count === 0 ? 0 : (this.#turn + 1) % count;
    return this.#turn;
  }
}
