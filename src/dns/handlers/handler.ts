import type { Logger } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { ClientPods } from '../client-pods.ts';
import type { Resolver } from '../forward/resolver.ts';
import type { NegativeReplies } from '../negative.ts';
import type { Names } from '../records.ts';
import type { Reply } from '../reply.ts';
import type { OthersAnswers } from '../prebuilt/others-answers.ts';
import type { PrebuiltWriter } from '../prebuilt/writer.ts';
import type { ServerSettings } from '../settings/settings.ts';
import type { Query } from '../wire/query.ts';
import type { ServedFile } from '../zone-file/served-file.ts';

/** A reply, now or later. */
export type Answer = Reply | Promise<Reply>;

/** Knows answers. Never throws, never rejects. */
export interface Source {
  /** For metrics and traces. */
  readonly name: string;
  /** Undefined leaves the query to the next handler. */
  readonly answer: (query: Query) => Answer | undefined;
}

/** Stands around every handler behind it: may change the question, the answer, or refuse. Never throws, never rejects. */
export interface Filter {
  readonly name: string;
  /** `next` asks the handlers behind it; it may be asked several times, or not at all. */
  readonly around: (query: Query, next: (query: Query) => Answer) => Answer;
}

export type Handler = Source | Filter;

/** Makes the handler of one server; undefined when its settings do not ask for it. */
export type HandlerMaker = (settings: ServerSettings, parts: ServerParts) => Handler | undefined;

/** What handlers are made of. */
export interface ServerParts {
  readonly cluster: ClusterParts | undefined;
  /** Names for those outside the cluster. */
  readonly external: ClusterParts | undefined;
  /** Zone files, longest name first. */
  readonly files: readonly ServedFile[];
  /** Who asks; undefined where no setting asks for it. */
  readonly clientPods: ClientPods | undefined;
  /** Whether anybody here may use IPv6. */
  readonly hasIpv6: () => boolean;
  /** Asks the upstream servers; undefined when there are none. */
  readonly resolver: Resolver | undefined;
  /** Takes answers of upstream servers that may be given without asking; undefined when there are none. */
  readonly others: OthersAnswers | undefined;
  /** Asks from the first handler on, for aliases that lead elsewhere: this server, or the one that is for the name. */
  readonly again: (query: Query) => Answer;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** Names of the cluster, how well they are known, and the answers made of them. */
export interface ClusterParts {
  readonly records: Names;
  readonly negatives: NegativeReplies;
  readonly memo: PrebuiltWriter;
  /**
   * How good the records are: `none` before anything is known, `restored` from disk, `synced` with the API. Only a
   * synced server may say that a name does not exist.
   */
  readonly knowledge: () => 'none' | 'restored' | 'synced';
}
