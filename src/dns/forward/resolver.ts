import type { Client } from '../client.ts';
import type { Life } from '../prebuilt/writer.ts';
import type { ExtendedError } from '../wire/edns.ts';
import type { Question, ResourceRecord } from '../wire/message.ts';
import type { Name } from '../wire/names.ts';
import type { Query } from '../wire/query.ts';

/** Whether an answer has records, or says that there are none. */
export type KeptKind = 'success' | 'denial';

/** What the upstream servers, or the cache before them, know about a question. */
export interface Resolved {
  /** NOERROR, NXDOMAIN or SERVFAIL. */
  readonly rcode: number;
  /** The chain of aliases and the records at its end; TTLs are what is left of them. */
  readonly answers: readonly ResourceRecord[];
  /** For a negative answer: SOA, with its proof when DNSSEC was asked for. */
  readonly authorities: readonly ResourceRecord[];
  readonly error?: ExtendedError;
  /** From the cache: since when TTLs are what they are, and until when it may be given again without being asked for. */
  readonly life?: Life;
  /** Which upstream answered, or `cache`: for traces. */
  readonly from: string;
}

/** A question for others, with who asks: none may take all that others can do. */
export interface ResolverQuestion {
  readonly question: Question;
  readonly dnssecOk: boolean;
  readonly checkingDisabled: boolean;
  readonly client: Client;
  /** How often its answer was given elsewhere since it was asked last. */
  readonly given?: number;
}

/** The question of a query. */
export function resolverQuestion(query: Query, given?: number): ResolverQuestion {
  const { edns, checkingDisabled, client, name, type, class: of } = query;
  return { question: { name, type, class: of }, dnssecOk: edns?.dnssecOk ?? false, checkingDisabled, client, given };
}

/** Recursive resolution by others. */
export interface Resolver extends AsyncDisposable {
  /**
   * At once when the cache knows. Never rejects: a failure is SERVFAIL with an extended error. Undefined when no upstream is
   * for the name.
   */
  resolve(asked: ResolverQuestion): Resolved | Promise<Resolved> | undefined;
  /** Counts answers of the cache that others have given. */
  noteGiven(count: Readonly<Record<KeptKind, number>>): void;
  /** Whether a name (in lower case) is one that this resolver made up to find loops. */
  isOwnProbe(key: Name): boolean;
  /** Looks for upstream servers that send our questions back. Resolves when all were looked at. */
  findLoops(): Promise<void>;
}
