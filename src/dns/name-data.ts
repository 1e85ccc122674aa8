import type { ResourceRecord } from './wire/message.ts';
import type { Name } from './wire/names.ts';

/** Everything this server knows about one name that exists. */
export interface NameData {
  /** What the records come from, for people: `Service shop/cart`. */
  readonly source: string;
  /** Seconds, for all records of the name. */
  readonly ttl: number;
  /** Target when the name is an alias (CNAME); it then has no other records. */
  readonly alias?: Name;
  /** RDATA of the records of each type. Empty for an empty non-terminal: a name that only has names below it. */
  readonly sets: ReadonlyMap<number, readonly Uint8Array[]>;
  /** Address records of the names that the SRV records point to. */
  readonly glue?: readonly ResourceRecord[];
  /** Whose change makes this data stale; undefined when the data must not be kept. */
  readonly owner?: Owner;
}

/** One version of an object: `isCurrent` turns false when another takes its place. */
export interface Owner {
  isCurrent: boolean;
}

const noSets: ReadonlyMap<number, readonly Uint8Array[]> = new Map();

/** A name that exists without records of its own. */
export function emptyName(source: string): NameData {
  return { source, ttl: 0, sets: noSets };
}
