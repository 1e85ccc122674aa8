import type { Backend, Frontend } from '../routing/frontend.ts';
import { backendName } from './backend-name.ts';
import type { BackendChance, TraceOutcome } from './trace.ts';

type Forwarded = TraceOutcome & { readonly kind: 'forwarded' };

/** A backend for a new connection, which counts until its end. */
interface Pick {
  readonly backend: Backend;
  end(): void;
}

const golden = 0.618_033_988_75;

/** How the fake plane chooses: affinity first, else by the frontend's scheduler. */
export class FakePicker {
  readonly #memory = new Map<string, { readonly name: string; readonly untilMs: number }>();
  readonly #open = new Map<string, number>();
  #draws = 0;

  pick(frontend: Frontend, { backends, affinitySeconds }: Forwarded, client: string): Pick {
    const memory = `${client} ${frontend.key}`;
    const remembered = affinitySeconds === undefined ? undefined : this.#memory.get(memory);
    const known = backends.find(({ backend }) => backendName(backend) === remembered?.name);
    const isFresh = known !== undefined && performance.now() < (remembered?.untilMs ?? 0);
    const backend = isFresh ? known.backend : this.#choose(frontend, backends, client);
    const name = backendName(backend);
    if (affinitySeconds !== undefined) {
      this.#memory.set(memory, { name, untilMs: performance.now() + affinitySeconds * 1000 });
    }
    this.#count(name, 1);
    return { backend, end: () => this.#count(name, -1) };
  }

  #choose({ scheduler, key }: Frontend, backends: readonly BackendChance[], client: string): Backend {
    const isByLoad = ['lc', 'wlc', 'lblc', 'lblcr', 'sed', 'nq'].includes(scheduler ?? '');
    const isByHash = ['sh', 'mh', 'dh'].includes(scheduler ?? '');
    if (isByLoad) return best(backends, ({ backend, chance }) => -this.#load(backend) / chance);
    const what = scheduler === 'dh' ? key : client;
    if (isByHash) return best(backends, ({ backend, chance }) => -chance / Math.log(hash(what + backendName(backend))));
    this.#draws += 1;
    return at(backends, (this.#draws * golden) % 1);
  }

  #load(backend: Backend): number {
    return this.#open.get(backendName(backend)) ?? 0;
  }

  #count(name: string, by: number): void {
    this.#open.set(name, (this.#open.get(name) ?? 0) + by);
  }
}

/** The backend of the highest score; the first of equals. */
function best(backends: readonly BackendChance[], score: (each: BackendChance) => number): Backend {
  const [first, ...rest] = backends;
  if (first === undefined) throw new Error('no backend');
  return rest.reduce((winner, each) => (score(each) > score(winner) ? each : winner), first).backend;
}

/** The backend at a point of the line from 0 to 1 that the chances cut up. */
function at(backends: readonly BackendChance[], point: number): Backend {
  let end = 0;
  const found = backends.find(({ chance }) => point < (end += chance)) ?? backends.at(-1);
  if (found === undefined) throw new Error('no backend');
  return found.backend;
}

/** A number between 0 and 1 from a text (FNV-1a, then mixed). */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  value = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  return (((value ^ (value >>> 16)) >>> 0) + 1) / 4_294_967_298;
}
