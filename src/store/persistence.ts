import type { Entry, StoreEvent } from './store.ts';

/** What one group commit makes durable, all or nothing. */
export interface Batch {
  /** In revision order. */
  readonly events: readonly StoreEvent[];
  /** The store's revision after the batch. */
  readonly revision: number;
  /** History up to and including this revision is gone after the batch. */
  readonly compactedRevision: number;
  /** That many of the oldest kept events go. */
  readonly forget: number;
}

/** What was found when the store was opened. */
export interface Saved {
  readonly revision: number;
  readonly compactedRevision: number;
  readonly entries: readonly Entry[];
  /** In revision order; each with its `previous`. */
  readonly events: readonly StoreEvent[];
}

/** Where batches become durable. Every store of this folder keeps its state in memory and differs only in this. */
export interface Persistence {
  /**
   * Resolves when the batch survives power loss; rejects with `StoreWriteError` when it is not known to. A batch without
   * events need not be durable yet. Never called again before it has resolved.
   */
  write(batch: Batch): Promise<void>;
  close(): void;
}
