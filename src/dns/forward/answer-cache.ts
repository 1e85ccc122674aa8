import type { Life } from '../prebuilt/writer.ts';
import type { CacheBounds, CacheSettings } from '../settings/settings.ts';
import type { ResourceRecord } from '../wire/message.ts';
import { parentOf } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { rcodes } from '../wire/types.ts';
import type { KeptKind, Resolved } from './resolver.ts';

/** TTL of a stale answer (RFC 8767 4). */
const staleTtlSeconds = 30;
/** How often a name was asked counts anew after this long. */
const popularityMs = 60_000;
/** A name that does not exist has no type at all (RFC 2308 5): its denial is kept under this one. */
const everyType = 0;

/** A name that is asked for often is asked for again in the last part of its time. */
const dueShare = 0.1;

/** What identifies an answer. `key` is the name in lower case. */
export interface CacheKey {
  readonly key: Name;
  readonly type: number;
  readonly dnssecOk: boolean;
  readonly checkingDisabled: boolean;
}

export interface Kept {
  readonly resolved: Resolved;
  readonly kind: KeptKind;
  /** False for an answer whose time is over: good only when nobody gives a newer one. */
  readonly isFresh: boolean;
  /** It is asked for often and its time is nearly over: ask again in the background. */
  readonly isDue: boolean;
}

interface Entry {
  readonly resolved: Resolved;
  /** Memory, about. */
  readonly bytes: number;
  readonly storedMs: number;
  readonly expiresMs: number;
  asked: number;
  countedFromMs: number;
}

/**
 * Answers of upstream servers, kept for their time and longer for when the servers are away (RFC 8767). Positive and
 * negative ones have room of their own, so that random names push out no answer. A name that does not exist has no type
 * (RFC 2308 5) and no names below it (RFC 8020).
 */
export class AnswerCache {
  readonly #settings: CacheSettings;
  readonly #positive: Room;
  readonly #negative: Room;

  /** `evicted` is told when an answer had to go for another. */
  constructor(settings: CacheSettings, evicted: (kind: KeptKind) => void) {
    this.#settings = settings;
    this.#positive = new Room(settings.positive, () => evicted('success'));
    this.#negative = new Room(settings.negative, () => evicted('denial'));
  }

  /** How many answers are kept. */
  sizes(): Readonly<Record<KeptKind, number>> {
    return { success: this.#positive.size, denial: this.#negative.size };
  }

  /** `given` is how often the answer was given since it was asked for last. */
  get(question: CacheKey, nowMs: number, given = 0): Kept | undefined {
    const text = textOf(question);
    const positive = this.#positive.get(text);
    const entry =
      positive ??
      this.#negative.get(text) ??
      this.#negative.get(textOf({ ...question, type: everyType })) ??
      this.#above(question, nowMs);
    if (entry === undefined || nowMs >= entry.expiresMs + this.#settings.staleSeconds * 1000) return undefined;
    const isFresh = nowMs < entry.expiresMs;
    const resolved = isFresh ? aged(entry, nowMs) : withTtl(entry.resolved, () => staleTtlSeconds);
    const kind = positive === undefined ? 'denial' : 'success';
    const isDue = isFresh && this.#isDue(entry, nowMs, given);
    const life = isFresh ? this.#lifeOf(entry, nowMs) : undefined;
    return { resolved: { ...resolved, from: 'cache', life }, kind, isFresh, isDue };
  }

  /** Keeps an answer that said it is good for `ttl` seconds. */
  put(question: CacheKey, resolved: Resolved, ttl: number, nowMs: number): void {
    const { positive, negative, failureSeconds } = this.#settings;
    const isFailure = resolved.rcode !== rcodes.NOERROR && resolved.rcode !== rcodes.NXDOMAIN;
    const isPositive = !isFailure && resolved.answers.length > 0 && resolved.rcode === rcodes.NOERROR;
    const bounds = isPositive ? positive : negative;
    const seconds = isFailure ? failureSeconds : Math.min(bounds.maxSeconds, Math.max(bounds.minSeconds, ttl));
    const ofName = textOf({ ...question, type: everyType });
    // Behind an alias it is another name that does not exist (RFC 8020 2).
    const isOfName = resolved.rcode === rcodes.NXDOMAIN && resolved.answers.length === 0;
    const text = textOf(question);
    // A failure must not push out an answer that may still be given stale.
    if (isFailure && this.#positive.get(text) !== undefined) return;
    this.#positive.delete(text);
    this.#negative.delete(text);
    if (!isFailure) this.#negative.delete(ofName);
    if (seconds <= 0) return;
    const key = isOfName ? ofName : text;
    const bytes = bytesOf(key, resolved);
    const entry = {
      resolved,
      bytes,
      storedMs: nowMs,
      expiresMs: nowMs + seconds * 1000,
      asked: 0,
      countedFromMs: nowMs,
    };
    (isPositive ? this.#positive : this.#negative).put(key, entry);
  }

  /** The fresh NXDOMAIN of a name above. */
  #above(question: CacheKey, nowMs: number): Entry | undefined {
    if (this.#negative.size === 0) return undefined;
    for (let key = parentOf(question.key); key !== undefined && key !== '\0'; key = parentOf(key)) {
      const entry = this.#negative.get(textOf({ ...question, key, type: everyType }));
      if (entry !== undefined && nowMs < entry.expiresMs) return entry;
    }
    return undefined;
  }

  /** From the last time that TTLs went down, until it is due, or its popularity is to be looked at. */
  #lifeOf({ storedMs, expiresMs }: Entry, nowMs: number): Life {
    const startMs = nowMs - ((nowMs - storedMs) % 1000);
    const dueMs = this.#settings.prefetchQueries === 0 ? expiresMs : expiresMs - dueShare * (expiresMs - storedMs);
    return { startMs, endMs: Math.min(dueMs, nowMs + popularityMs) };
  }

  #isDue(entry: Entry, nowMs: number, given: number): boolean {
    const { prefetchQueries } = this.#settings;
    if (prefetchQueries === 0) return false;
    if (nowMs - entry.countedFromMs > popularityMs) {
      entry.asked = 0;
      entry.countedFromMs = nowMs;
    }
    entry.asked += 1 + given;
    const left = entry.expiresMs - nowMs;
    return entry.asked >= prefetchQueries && left < (entry.expiresMs - entry.storedMs) * dueShare;
  }
}

function textOf({ key, type, dnssecOk, checkingDisabled }: CacheKey): string {
  return `${type} ${Number(dnssecOk)}${Number(checkingDisabled)} ${key}`;
}

/** What an entry and a record of it take beside their texts and bytes: objects, and the map's place. */
const entryBytes = 500;
const recordBytes = 250;

function bytesOf(text: string, { answers, authorities }: Resolved): number {
  const ofRecords = (records: readonly ResourceRecord[]): number =>
    records.reduce((sum, { name, rdata }) => sum + recordBytes + name.length + rdata.length, 0);
  return entryBytes + text.length + ofRecords(answers) + ofRecords(authorities);
}

/** Entries up to a number and to their memory; those unused for longest go first. */
class Room {
  readonly #capacity: number;
  readonly #mostBytes: number;
  readonly #evicted: () => void;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor({ capacity, megabytes }: CacheBounds, evicted: () => void) {
    this.#capacity = capacity;
    this.#mostBytes = megabytes * 1e6;
    this.#evicted = evicted;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(text: string): Entry | undefined {
    const entry = this.#entries.get(text);
    if (entry === undefined) return undefined;
    this.#entries.delete(text);
    this.#entries.set(text, entry);
    return entry;
  }

  put(text: string, entry: Entry): void {
    if (this.#capacity === 0) return;
    this.delete(text);
    this.#entries.set(text, entry);
    this.#bytes += entry.bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity && this.#bytes <= this.#mostBytes) return;
      this.delete(oldest);
      this.#evicted();
    }
  }

  delete(text: string): void {
    this.#bytes -= this.#entries.get(text)?.bytes ?? 0;
    this.#entries.delete(text);
  }
}

function aged({ resolved, storedMs, expiresMs }: Entry, nowMs: number): Resolved {
  const ageSeconds = Math.floor((nowMs - storedMs) / 1000);
  const left = Math.ceil((expiresMs - nowMs) / 1000);
  return withTtl(resolved, (ttl) => Math.max(0, Math.min(Math.max(ttl - ageSeconds, 0), left)));
}

function withTtl(resolved: Resolved, change: (ttl: number) => number): Resolved {
  const changed = (record: ResourceRecord): ResourceRecord => ({ ...record, ttl: change(record.ttl) });
  return { ...resolved, answers: resolved.answers.map(changed), authorities: resolved.authorities.map(changed) };
}
