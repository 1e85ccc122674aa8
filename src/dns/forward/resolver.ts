import type { ExtendedError } from '../wire/edns.ts';
import type { Question, ResourceRecord } from '../wire/message.ts';
import type { Name } from '../wire/names.ts';

/** What the upstream servers, or the cache before them, know about a question. */
export interface Resolved {
  /** NOERROR, NXDOMAIN or SERVFAIL. */
  readonly rcode: number;
  /** The chain of aliases and the records at its end; TTLs are what is left of them. */
  readonly answers: readonly ResourceRecord[];
  /** For a negative answer: SOA, with its proof when DNSSEC was asked for. */
  readonly authorities: readonly ResourceRecord[];
  readonly error?: ExtendedError;
  /** Which upstream answered, or `cache`: for traces. */
  readonly from: string;
}

/** Recursive resolution by others. */
export interface Resolver extends AsyncDisposable {
  /** Never rejects: a failure is SERVFAIL with an extended error. Undefined when no upstream is for the name. */
  resolve(question: Question, dnssecOk: boolean, checkingDisabled: boolean): Promise<Resolved> | undefined;
  /** Whether a name (in lower case) is one that this resolver made up to find loops. */
  isOwnProbe(key: Name): boolean;
  /** Looks for upstream servers that send our questions back. Resolves when all were looked at. */
  findLoops(): Promise<void>;
}
