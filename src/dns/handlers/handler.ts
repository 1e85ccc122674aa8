import type { NegativeReplies } from '../negative.ts';
import type { Records } from '../records.ts';
import type { Reply } from '../reply.ts';
import type { ReplyMemo } from '../reply-memo.ts';
import type { Resolver } from '../forward/resolver.ts';
import type { Query } from '../wire/query.ts';

/** What handlers work with. */
export interface HandlerContext {
  readonly records: Records;
  readonly negatives: NegativeReplies;
  readonly memo: ReplyMemo;
  /** Asks the upstream servers; undefined when there are none. */
  readonly resolver: Resolver | undefined;
  /**
   * How good the records are: `none` before anything is known, `restored` from disk, `synced` with the API. Only a
   * synced server may say that a name does not exist.
   */
  readonly knowledge: () => 'none' | 'restored' | 'synced';
}

/** One step of the chain. */
export interface Handler {
  /** For metrics and traces. */
  readonly name: string;
  /** The reply, now or later; undefined leaves the query to the next handler. Never throws, never rejects. */
  readonly answer: (query: Query, context: HandlerContext) => Reply | Promise<Reply> | undefined;
}
