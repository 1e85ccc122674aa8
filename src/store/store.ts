/**
 * The store: every object as bytes under a key, one global revision, compare-and-swap, and a watch over the history.
 *
 * The semantics are etcd's (revisions, transactions, compaction), because the API server's promises to clients rest on
 * them. `contract.ts` is the suite that every implementation passes.
 */

/** What the store holds under one key at one revision. The value is never changed in place. */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision at which the key was created (last, if it was deleted between). */
  readonly createRevision: number;
  /** Revision of the last change. */
  readonly modRevision: number;
}

/** What an operation expects of a key: `absent`, exactly this `modRevision`, or `any` state. */
export type Expected = 'absent' | 'any' | number;

export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array; readonly expected: Expected }
  | { readonly type: 'delete'; readonly key: string; readonly expected: Expected };

/**
 * The outcome of a commit. `conflict` names the first operation whose expectation did not hold and what is there
 * instead; nothing was written then. Deleting an absent key with `any` is no conflict and makes no event.
 */
export type CommitResult =
  | { readonly ok: true; readonly revision: number }
  | { readonly ok: false; readonly conflict: string; readonly current: Entry | undefined };

/** One change of one key. A deletion carries the last value in `previous`. */
export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: number;
  /** The new entry; undefined for a deletion. */
  readonly entry: Entry | undefined;
  /** The entry before this change; undefined when the key was absent. */
  readonly previous: Entry | undefined;
}

export interface ListOptions {
  /** Read the past: the state at this revision. Throws `CompactedError` when it is older than `compactedRevision`. */
  readonly at?: number;
  /** Return at most this many entries. */
  readonly limit?: number;
  /** Start after this key (exclusive), for the next page. */
  readonly after?: string;
}

export interface ListResult {
  /** In key order (UTF-8 bytes). */
  readonly entries: readonly Entry[];
  /** The revision that the answer shows. */
  readonly revision: number;
  /** How many more entries match behind the last one returned. */
  readonly remaining: number;
}

export interface WatchOptions {
  /**
   * Deliver events with revision > `from`. Throws `CompactedError` (from the first `next()`) when part of that history
   * is gone.
   */
  readonly from: number;
  readonly signal: AbortSignal;
}

export interface Store extends AsyncDisposable {
  /** The newest revision that is durable and visible to readers. Starts at 1. Survives restarts and never goes back. */
  readonly revision: number;
  /** Events up to and including this revision are gone; the state at it is the oldest that can be listed. */
  readonly compactedRevision: number;
  get(key: string): Promise<Entry | undefined>;
  list(prefix: string, options?: ListOptions): Promise<ListResult>;
  /**
   * All or nothing: every operation gets the same new revision. Keys within one commit are distinct. Resolves when the
   * commit is durable (survives power loss) and visible to `get`, `list` and watchers.
   */
  commit(operations: readonly Operation[]): Promise<CommitResult>;
  /**
   * Events of keys under `prefix` in revision order, in batches; all events of one revision are in one batch. Ends when
   * the signal aborts. A consumer that falls behind by more than the store's limit gets `SlowWatcherError`.
   */
  watch(prefix: string, options: WatchOptions): AsyncIterable<readonly StoreEvent[]>;
  /** Forget history up to and including `revision`; current values stay. */
  compact(revision: number): Promise<void>;
}

/** The asked revision is older than the history that is kept. */
export class CompactedError extends Error {
  override readonly name = 'CompactedError';
  readonly requested: number;
  readonly compacted: number;
  constructor(requested: number, compacted: number) {
    super(`revision ${requested} has been compacted; the oldest that is kept is ${compacted}`);
    this.requested = requested;
    this.compacted = compacted;
  }
}

/** The asked revision has not been written yet. */
export class FutureRevisionError extends Error {
  override readonly name = 'FutureRevisionError';
  readonly requested: number;
  readonly current: number;
  constructor(requested: number, current: number) {
    super(`revision ${requested} is in the future; the newest is ${current}`);
    this.requested = requested;
    this.current = current;
  }
}

/** A watcher did not read fast enough and was cut off; it has to list and watch again. */
export class SlowWatcherError extends Error {
  override readonly name = 'SlowWatcherError';
}
