import { StoreClosedError } from './errors.ts';
import { defaultRetention, EventLog, type Retention } from './event-log.ts';
import { compareBytes } from './key-order.ts';
import { OrderedIndex, type Row } from './ordered-index.ts';
import type { Persistence, Saved } from './persistence.ts';
import { Staging } from './staging.ts';
import {
  CompactedError,
  FutureRevisionError,
  type CommitResult,
  type Entry,
  type ListOptions,
  type ListResult,
  type Operation,
  type Store,
  type StoreEvent,
  type WatchOptions,
} from './store.ts';
import { Watcher } from './watchers.ts';

/** How a store behaves; everything has a default. */
export interface StoreOptions {
  /** The time in milliseconds, for the age of history. */
  readonly now?: () => number;
  readonly retention?: Partial<Retention>;
  /** A watcher with more unread events than this is cut off. */
  readonly watcherLimit?: number;
}

interface PendingCommit {
  readonly operations: readonly Operation[];
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: unknown) => void;
}

interface PendingCompaction {
  readonly revision: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const MOST_COMMITS_PER_BATCH = 1024;
const MOST_BYTES_PER_BATCH = 8 * 1024 * 1024;
const TRIM_INTERVAL_MS = 10_000;
const TRIM_STEPS = 512;

/**
 * The store itself: state and history in memory, changed by group commits. Commits that arrive in one turn of the event
 * loop are made durable together by the `Persistence`, then become visible, then are answered.
 */
export class CoreStore implements Store {
  private readonly index = new OrderedIndex();
  private readonly log = new EventLog();
  private readonly watchers = new Set<Watcher>();
  private readonly persistence: Persistence;
  private readonly now: () => number;
  private readonly retention: Retention;
  private readonly watcherLimit: number;
  private readonly trimTimer: NodeJS.Timeout;
  private queue: PendingCommit[] = [];
  private compactions: PendingCompaction[] = [];
  /** The turn that is scheduled or under way. */
  private turn: Promise<void> | undefined;
  private lastTrim: number;
  private newest: number;
  private compacted: number;
  private isClosed = false;

  constructor(persistence: Persistence, saved: Saved, options: StoreOptions = {}) {
    this.persistence = persistence;
    this.now = options.now ?? Date.now;
    this.retention = { ...defaultRetention, ...options.retention };
    this.watcherLimit = options.watcherLimit ?? 10_000;
    this.newest = saved.revision;
    this.compacted = saved.compactedRevision;
    this.lastTrim = this.now();
    for (const entry of saved.entries) this.index.set(entry.key, entry);
    for (const event of saved.events) this.remember(event, this.lastTrim);
    this.trimTimer = setInterval(() => this.schedule(), TRIM_INTERVAL_MS).unref();
  }

  get revision(): number {
    return this.newest;
  }

  get compactedRevision(): number {
    return this.compacted;
  }

  async get(key: string): Promise<Entry | undefined> {
    this.checkOpen();
    return this.index.get(key)?.current;
  }

  async list(prefix: string, { at, limit, after }: ListOptions = {}): Promise<ListResult> {
    this.checkOpen();
    const revision = this.checkRevision(at ?? this.newest);
    const start =
      after !== undefined && compareBytes(after, prefix) >= 0
        ? this.index.upperBound(after)
        : this.index.lowerBound(prefix);
    const end = this.index.prefixEnd(prefix);
    const entries: Entry[] = [];
    let live = revision === this.newest ? this.index.countLive(start, end) : 0;
    const isPast = revision < this.newest;
    const most = limit ?? Infinity;
    for (const row of this.index.rows(start, end)) {
      if (!isPast && entries.length >= most) break;
      const entry = isPast ? entryAt(row, revision) : row.current;
      if (entry === undefined) continue;
      if (isPast) live++;
      if (entries.length < most) entries.push(entry);
    }
    return { entries, revision, remaining: live - entries.length };
  }

  commit(operations: readonly Operation[]): Promise<CommitResult> {
    if (this.isClosed) return Promise.reject(new StoreClosedError());
    const { promise, resolve, reject } = Promise.withResolvers<CommitResult>();
    this.queue.push({ operations, resolve, reject });
    this.schedule();
    return promise;
  }

  async *watch(prefix: string, { from, signal }: WatchOptions): AsyncGenerator<readonly StoreEvent[], void> {
    this.checkOpen();
    this.checkRevision(from);
    const watcher = new Watcher(prefix, this.watcherLimit, this.log.after(from));
    const end = (): void => watcher.end();
    this.watchers.add(watcher);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      for (let events = await watcher.next(); events !== undefined; events = await watcher.next()) yield events;
    } finally {
      signal.removeEventListener('abort', end);
      this.watchers.delete(watcher);
    }
  }

  async compact(revision: number): Promise<void> {
    this.checkOpen();
    if (revision > this.newest) throw new FutureRevisionError(revision, this.newest);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.compactions.push({ revision, resolve, reject });
    this.schedule();
    await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    clearInterval(this.trimTimer);
    await this.turn;
    while (this.queue.length > 0) await this.flush();
    for (const { reject } of this.compactions) reject(new StoreClosedError());
    for (const watcher of this.watchers) watcher.end();
    this.persistence.close();
  }

  /** One turn at a time: what comes during a turn is gathered for the next. */
  private schedule(): void {
    if (this.isClosed || this.turn !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.turn = promise;
    setImmediate(async () => {
      await this.flush();
      await this.compactAsked();
      const hasMore = (await this.trim()) || this.queue.length > 0 || this.compactions.length > 0;
      this.turn = undefined;
      resolve();
      if (hasMore) this.schedule();
    });
  }

  private async flush(): Promise<void> {
    const commits = this.takeBatch();
    if (commits.length === 0) return;
    const staging = new Staging(this.newest, (key) => this.index.get(key)?.current);
    const answers = commits.map(({ operations, resolve, reject }) => {
      const outcome = attempt(() => staging.stage(operations));
      return () => ('error' in outcome ? reject(outcome.error) : resolve(outcome.value));
    });
    try {
      await this.write(staging);
    } catch (error) {
      for (const { reject } of commits) reject(error);
      return;
    }
    for (const answer of answers) answer();
  }

  private async compactAsked(): Promise<void> {
    for (const { revision, resolve, reject } of this.compactions.splice(0)) {
      await this.forget(Math.max(revision, this.compacted), 0).then(resolve, reject);
    }
  }

  /** The oldest pending commits, within the bounds of one batch. */
  private takeBatch(): PendingCommit[] {
    let bytes = 0;
    let count = 0;
    for (const { operations } of this.queue) {
      for (const operation of operations) if (operation.type === 'put') bytes += operation.value.length;
      if (count > 0 && (bytes > MOST_BYTES_PER_BATCH || count >= MOST_COMMITS_PER_BATCH)) break;
      count++;
    }
    return this.queue.splice(0, count);
  }

  private async write({ events, revision }: Staging): Promise<void> {
    if (events.length === 0) return;
    await this.persistence.write({ events, revision, compactedRevision: this.compacted, forget: 0 });
    this.newest = revision;
    const time = this.now();
    for (const event of events) {
      this.index.set(event.key, event.entry);
      this.remember(event, time);
    }
    for (const watcher of this.watchers) watcher.push(events);
  }

  private remember(event: StoreEvent, time: number): void {
    this.log.append(event, time);
    const row = this.index.get(event.key) ?? this.index.set(event.key, undefined);
    if (row.history === undefined) row.history = [event];
    else row.history.push(event);
  }

  /** Forgets a slice of what may go. Says whether there may be more, so that no pause gets long. */
  private async trim(): Promise<boolean> {
    const now = this.now();
    const isDue = now - this.lastTrim >= TRIM_INTERVAL_MS || this.log.length > this.retention.maxEvents + TRIM_STEPS;
    const expired = isDue ? this.log.expired(this.retention, now, TRIM_STEPS) : undefined;
    if (isDue && expired === undefined) this.lastTrim = now;
    try {
      return (await this.forget(Math.max(this.compacted, expired ?? 0), TRIM_STEPS)) > 0;
    } catch {
      // The disk is full, most likely. History is only kept longer then; the next interval tries again.
      this.lastTrim = now;
      return false;
    }
  }

  /** Moves the compaction up to `revision`, and takes out at most `steps` events behind it. Says how many. */
  private async forget(revision: number, steps: number): Promise<number> {
    const events = this.log.upTo(revision, steps);
    if (revision === this.compacted && events.length === 0) return 0;
    const forget = events.length;
    await this.persistence.write({ events: [], revision: this.newest, compactedRevision: revision, forget });
    this.compacted = revision;
    this.log.drop(forget);
    for (const event of events) this.forgetOldestOf(event.key);
    return forget;
  }

  private forgetOldestOf(key: string): void {
    const row = this.index.get(key);
    row?.history?.shift();
    if (row?.history?.length !== 0) return;
    row.history = undefined;
    if (row.current === undefined) this.index.remove(row);
  }

  private checkRevision(revision: number): number {
    if (revision > this.newest) throw new FutureRevisionError(revision, this.newest);
    if (revision < this.compacted) throw new CompactedError(revision, this.compacted);
    return revision;
  }

  private checkOpen(): void {
    if (this.isClosed) throw new StoreClosedError();
  }
}

/** What the row held at a past revision: what the first event after it found. */
function entryAt(row: Row, revision: number): Entry | undefined {
  const history = row.history ?? [];
  let low = 0;
  let high = history.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((history[middle]?.revision ?? Infinity) <= revision) low = middle + 1;
    else high = middle;
  }
  const next = history[low];
  return next === undefined ? row.current : next.previous;
}

function attempt<T>(task: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: task() };
  } catch (error) {
    return { error };
  }
}
