import type { ResourceRecord } from '../wire/message.ts';
import type { Resolved } from './resolver.ts';

/** Answers of upstream servers, kept for their time, and longer for when the servers are away (RFC 8767). */
export class AnswerCache {
  readonly #capacity: number;
  readonly #entries = new Map<string, Entry>();

  /** `capacity`: answers kept at most; the ones unused for longest go first. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What is kept, with the time that is left of it; expired answers too, for `staleMs` after their time. */
  get(key: string, nowMs: number): { readonly resolved: Resolved; readonly isFresh: boolean } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (nowMs >= entry.expiresMs + staleMs) return undefined;
    this.#entries.set(key, entry);
    const isFresh = nowMs < entry.expiresMs;
    const resolved = isFresh ? aged(entry, nowMs) : withTtl(entry.resolved, () => staleTtlSeconds);
    return { resolved: { ...resolved, from: 'cache' }, isFresh };
  }

  /** Keeps an answer for `ttl` seconds; 0 keeps nothing. */
  put(key: string, resolved: Resolved, ttl: number, nowMs: number): void {
    if (ttl <= 0) return;
    this.#entries.delete(key);
    this.#entries.set(key, { resolved, storedMs: nowMs, expiresMs: nowMs + ttl * 1000 });
    const oldest = this.#entries.size > this.#capacity ? this.#entries.keys().next().value : undefined;
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}

interface Entry {
  readonly resolved: Resolved;
  readonly storedMs: number;
  readonly expiresMs: number;
}

/** How long an expired answer may still be used when nobody answers: a day (RFC 8767 5 recommends one to three). */
const staleMs = 86_400_000;
/** TTL of a stale answer (RFC 8767 4). */
const staleTtlSeconds = 30;

function aged({ resolved, storedMs, expiresMs }: Entry, nowMs: number): Resolved {
  const ageSeconds = Math.floor((nowMs - storedMs) / 1000);
  const left = Math.ceil((expiresMs - nowMs) / 1000);
  return withTtl(resolved, (ttl) => Math.max(0, Math.min(ttl - ageSeconds, left)));
}

function withTtl(resolved: Resolved, change: (ttl: number) => number): Resolved {
  const changed = (record: ResourceRecord): ResourceRecord => ({ ...record, ttl: change(record.ttl) });
  return { ...resolved, answers: resolved.answers.map(changed), authorities: resolved.authorities.map(changed) };
}
