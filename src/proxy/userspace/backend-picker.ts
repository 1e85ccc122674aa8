import type { Frontend, Target } from '../../routing/frontend.ts';
import { fillBuckets } from '../buckets.ts';
import { backendName } from '../backend-name.ts';

/** Clients whose backend is remembered at once; the longest unseen go first. */
const maxRemembered = 65_536;

/** Picks a backend for each new connection of a frontend: in turn, or by client affinity. Pure but for its memory. */
export class BackendPicker {
  #buckets: readonly string[] = [];
  #next = 0;
  #timeoutMs: number | undefined;
  /** Ordered by last use. */
  readonly #remembered = new Map<string, { readonly name: string; readonly untilMs: number }>();

  /** Takes the backends of a frontend; memories of clients whose backend stays are kept. */
  update(target: Target, affinity: Frontend['affinity']): void {
    const shares = target.backends.map((backend) => ({ name: backendName(backend), weight: backend.weight }));
    this.#buckets = fillBuckets(this.#buckets, target.verdict === 'forward' ? shares : []);
    this.#timeoutMs = affinity && affinity.timeoutSeconds * 1000;
    if (affinity === undefined) this.#remembered.clear();
  }

  get names(): ReadonlySet<string> {
    return new Set(this.#buckets);
  }

  /** The backend for a client; undefined when there is none but those `tried`. */
  pick(client: string, nowMs: number, tried: ReadonlySet<string> = new Set()): string | undefined {
    const name = this.#memoryOf(client, nowMs, tried) ?? this.#draw(tried);
    if (name !== undefined && this.#timeoutMs !== undefined) this.#remember(client, name, nowMs + this.#timeoutMs);
    return name;
  }

  #memoryOf(client: string, nowMs: number, tried: ReadonlySet<string>): string | undefined {
    const memory = this.#remembered.get(client);
    if (memory === undefined || memory.untilMs <= nowMs || tried.has(memory.name)) return undefined;
    return this.#buckets.includes(memory.name) ? memory.name : undefined;
  }

  #draw(tried: ReadonlySet<string>): string | undefined {
    for (let step = 0; step < this.#buckets.length; step += 1) {
      const name = this.#buckets[this.#next % this.#buckets.length];
      this.#next += 1;
      if (name !== undefined && !tried.has(name)) return name;
    }
    return undefined;
  }

  #remember(client: string, name: string, untilMs: number): void {
    this.#remembered.delete(client);
    this.#remembered.set(client, { name, untilMs });
    if (this.#remembered.size <= maxRemembered) return;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }
}
