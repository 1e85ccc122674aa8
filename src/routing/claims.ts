import { frontendKey } from './frontend.ts';
import type { Frontend, FrontendKey, FrontendKind } from './frontend.ts';
import { noticeOf, shortList } from './notice.ts';
import type { Notice } from './notice.ts';

/** A Service that asks for frontends. `Claims` alone writes what is not readonly. */
export interface Claimant {
  /** `namespace/name`. */
  readonly key: string;
  /** `metadata.creationTimestamp` as it is: RFC 3339 UTC, sorts as text; '' when unset. */
  createdAt: string;
  /** What it asks for: each key once, and no range of its own overlaps another. */
  frontends: readonly Frontend[];
  /** What others hold of it, by place; undefined for nothing. */
  conflicts: Map<string, Notice> | undefined;
}

/** What a change of claims did. */
export interface ClaimEffects<T> {
  /** Called with each key that may have changed hands or content, and what was in force before. May be called again. */
  touch(key: FrontendKey, before: Frontend | undefined): void;
  /** Called when `conflicts` of a Service that still asks for the place may have changed. */
  contest(claimant: T): void;
}

/** Nobody can take over a cluster IP by naming it as an external address (CVE-2020-8554). */
const precedence: Record<FrontendKind, number> = { ClusterIP: 0, NodePort: 1, LoadBalancer: 2, ExternalIP: 3 };

/**
 * Who holds what. Services may share an address, by different ports; where two ask for the same port (external addresses
 * are not allocated), or the range of one overlaps what the other asks for, the kind decides, then the older Service, then
 * its name: never the order of arrival. The loser's frontend is left out whole, until its holder goes.
 */
export class Claims<T extends Claimant> {
  readonly #inForce = new Map<FrontendKey, Frontend>();
  /** Who asks for something at a place: one Service, nearly always. */
  readonly #claimants = new Map<string, readonly T[]>();

  /** The frontend in force for a key. */
  get(key: FrontendKey): Frontend | undefined {
    return this.#inForce.get(key);
  }

  /** Every frontend in force. */
  values(): Iterable<Frontend> {
    return this.#inForce.values();
  }

  /** Replaces what a Service asks for. Frontends that are the same as before must be the same objects. */
  replace(
    claimant: T,
    { createdAt, frontends }: Pick<Claimant, 'createdAt' | 'frontends'>,
    effects: ClaimEffects<T>,
  ): void {
    const before = claimant.frontends;
    const isSameClaim = claimant.createdAt === createdAt && asksTheSame(before, frontends);
    claimant.createdAt = createdAt;
    claimant.frontends = frontends;
    if (isSameClaim) return this.#refresh(before, frontends, effects);
    const places = new Set(frontends.map(placeOf));
    const left = new Set(before.map(placeOf)).difference(places);
    for (const place of places) this.#join(place, claimant);
    for (const place of left) this.#leave(place, claimant);
    for (const place of [...places, ...left]) this.#settle(place, before, effects);
  }

  /** Nothing changes hands: what was in force gets its new content. */
  #refresh(before: readonly Frontend[], now: readonly Frontend[], effects: ClaimEffects<T>): void {
    for (const [index, frontend] of now.entries()) {
      const old = before[index];
      if (old === frontend || this.#inForce.get(frontend.key) !== old) continue;
      effects.touch(frontend.key, old);
      this.#inForce.set(frontend.key, frontend);
    }
  }

  #join(place: string, claimant: T): void {
    const others = this.#at(place);
    if (!others.includes(claimant)) this.#claimants.set(place, others.concat([claimant]));
  }

  #leave(place: string, claimant: T): void {
    const others = this.#at(place).filter((other) => other !== claimant);
    if (others.length > 0) this.#claimants.set(place, others);
    else this.#claimants.delete(place);
    claimant.conflicts?.delete(place);
  }

  #at(place: string): readonly T[] {
    return this.#claimants.get(place) ?? [];
  }

  /** Decides a place anew; `before` is what the Service that changed asked for until now. */
  #settle(place: string, before: readonly Frontend[], effects: ClaimEffects<T>): void {
    const claims = this.#at(place).flatMap((claimant) =>
      claimant.frontends
        .filter((frontend) => placeOf(frontend) === place)
        .map((frontend): Claim<T> => ({ claimant, frontend })),
    );
    const { held, lost } = award(claims);
    const keys = new Set(claims.map(({ frontend }) => frontend.key));
    for (const frontend of before) if (placeOf(frontend) === place) keys.add(frontend.key);
    for (const key of keys) {
      const old = this.#inForce.get(key);
      const now = held.get(key)?.frontend;
      if (old === now) continue;
      effects.touch(key, old);
      if (now === undefined) this.#inForce.delete(key);
      else this.#inForce.set(key, now);
    }
    this.#noteConflicts(place, lost, effects);
  }

  #noteConflicts(place: string, lost: readonly Loss<T>[], effects: ClaimEffects<T>): void {
    for (const claimant of this.#at(place)) {
      const losses = lost.filter((loss) => loss.claim.claimant === claimant);
      if (losses.length > 0) (claimant.conflicts ??= new Map()).set(place, conflictOf(claimant, losses));
      else if (claimant.conflicts?.delete(place) !== true) continue;
      effects.contest(claimant);
    }
  }
}

interface Claim<T> {
  readonly claimant: T;
  readonly frontend: Frontend;
}

interface Loss<T> {
  readonly claim: Claim<T>;
  readonly to: Claim<T>;
}

interface Award<T> {
  readonly held: ReadonlyMap<FrontendKey, Claim<T>>;
  readonly lost: readonly Loss<T>[];
}

/** Frontends of different places never meet. A node port meets only its namesakes. */
function placeOf(frontend: Frontend): string {
  return frontend.address ?? frontend.key;
}

function asksTheSame(before: readonly Frontend[], now: readonly Frontend[]): boolean {
  return (
    before.length === now.length &&
    now.every(({ key, kind, lastPort }, index) => {
      const old = before[index];
      return old?.key === key && old.kind === kind && old.lastPort === lastPort;
    })
  );
}

/** Gives each claim, best first, what nobody holds yet. */
function award<T extends Claimant>(claims: Claim<T>[]): Award<T> {
  // A Service never stands in its own way.
  const isAlone = claims.every(({ claimant }) => claimant === claims[0]?.claimant);
  if (isAlone) return { held: new Map(claims.map((claim) => [claim.frontend.key, claim])), lost: [] };
  const held = new Map<FrontendKey, Claim<T>>();
  const ranges: Claim<T>[] = [];
  const lost: Loss<T>[] = [];
  for (const claim of claims.sort(byRight)) {
    const { frontend } = claim;
    const candidates = frontend.lastPort === undefined ? ranges : held.values();
    const holder = held.get(frontend.key) ?? [...candidates].find((other) => overlaps(other.frontend, frontend));
    if (holder !== undefined) {
      lost.push({ claim, to: holder });
      continue;
    }
    held.set(frontend.key, claim);
    if (frontend.lastPort !== undefined) ranges.push(claim);
  }
  return { held, lost };
}

function byRight<T extends Claimant>(a: Claim<T>, b: Claim<T>): number {
  return (
    precedence[a.frontend.kind] - precedence[b.frontend.kind] ||
    compareText(a.claimant.createdAt, b.claimant.createdAt) ||
    compareText(a.claimant.key, b.claimant.key) ||
    a.frontend.port - b.frontend.port
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function overlaps(a: Frontend, b: Frontend): boolean {
  return a.protocol === b.protocol && a.port <= (b.lastPort ?? b.port) && b.port <= (a.lastPort ?? a.port);
}

function conflictOf<T extends Claimant>(claimant: T, losses: readonly Loss<T>[]): Notice {
  const texts = losses.map(({ claim, to }) => `${rangeText(claim.frontend)} (held by ${to.claimant.key}${why(to)})`);
  return noticeOf(claimant.key, 'AddressConflict', `gets no traffic on ${shortList(texts)}`);
}

function why<T extends Claimant>({ claimant, frontend }: Claim<T>): string {
  return ` as its ${frontend.kind}${claimant.createdAt === '' ? '' : `, created ${claimant.createdAt}`}`;
}

function rangeText({ key, family, address, port, lastPort, protocol }: Frontend): string {
  if (lastPort === undefined) return key;
  return frontendKey(family, address, port, protocol).replace(`:${port}/`, `:${port}-${lastPort}/`);
}
