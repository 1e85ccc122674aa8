import type { Frontend } from '../../routing/frontend.ts';
import { backendName } from '../backend-name.ts';
import { type Candidate, type Caller, Schedule, type ScheduleInputs } from './schedule.ts';

/** Clients whose backend is remembered at once; the longest unseen go first. */
const maxRemembered = 65_536;

/** Picks a backend for each new connection of a frontend: by client affinity, else by its scheduler. */
export class BackendPicker {
  readonly #schedule: Schedule;
  #names: ReadonlySet<string> = new Set();
  #candidates: readonly Candidate[] = [];
  #frontend: Frontend | undefined;
  /** Ordered by last use. */
  readonly #remembered = new Map<string, { readonly name: string; readonly untilMs: number }>();

  constructor(inputs: ScheduleInputs) {
    this.#schedule = new Schedule(inputs);
  }

  /** Takes the backends of a frontend (undefined: none); memories of clients whose backend stays are kept. */
  update(frontend: Frontend | undefined): void {
    const backends = frontend?.internal.backends ?? [];
    this.#frontend = frontend;
    this.#names = new Set(backends.map(backendName));
    this.#candidates = backends
      .filter((backend) => backend.weight > 0)
      .map((backend) => ({ name: backendName(backend), weight: backend.weight }));
    this.#schedule.keep(this.#names);
    if (frontend?.affinity === undefined) this.#remembered.clear();
  }

  /** Whether a new connection can get a backend at all. */
  get isOpen(): boolean {
    return this.#candidates.length > 0;
  }

  /** Whether a backend is one of the frontend's, if only to end what it has. */
  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** The backend for a caller; undefined when there is none but those `tried`. */
  pick(caller: Caller, nowMs: number, tried: ReadonlySet<string> = new Set()): string | undefined {
    const open = tried.size === 0 ? this.#candidates : this.#candidates.filter(({ name }) => !tried.has(name));
    const name =
      this.#memoryOf(caller, nowMs, open) ?? this.#schedule.choose(this.#frontend?.scheduler, open, caller)?.name;
    const affinity = this.#frontend?.affinity;
    if (name !== undefined && affinity) this.#remember(caller, name, nowMs + affinity.timeoutSeconds * 1000);
    return name;
  }

  #memoryOf({ client }: Caller, nowMs: number, open: readonly Candidate[]): string | undefined {
    const memory = this.#remembered.get(client);
    if (memory === undefined || memory.untilMs <= nowMs) return undefined;
    return open.find(({ name }) => name === memory.name)?.name;
  }

  #remember({ client }: Caller, name: string, untilMs: number): void {
    this.#remembered.delete(client);
    this.#remembered.set(client, { name, untilMs });
    if (this.#remembered.size <= maxRemembered) return;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }
}
