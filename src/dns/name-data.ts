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
  /** None for an empty non-terminal: a name that only has names below it. */
  readonly sets: RecordSets;
  /** Address records of the names that SRV or NS records point to. */
  readonly glue?: () => readonly ResourceRecord[];
  /** Whose change makes this data stale; undefined when the data must not be kept. */
  readonly owner?: Owner;
}

/** RDATA of a name's records by type. */
export interface RecordSets {
  /** Not empty; undefined when there are none of the type. */
  get(type: number): readonly Uint8Array[] | undefined;
  /** Types that have records. */
  types(): readonly number[];
}

/** One version of an object: `isCurrent` turns false when another takes its place. */
export interface Owner {
  readonly isCurrent: boolean;
  /** Who keeps answers made of it, and its number there. There are many owners: these are no objects of their own. */
  readonly keeper?: Keeper;
  readonly keptAs?: number;
}

/** Keeps answers while their owners are current. */
export interface Keeper {
  /** The answers of the owner with this number are not current any more. */
  forget(keptAs: number): void;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Another version takes its place: nothing that was made of this one may be given any more. */
export function retire(owner: Owner): void {
  const version: Mutable<Owner> = owner;
  version.isCurrent = false;
  if (owner.keptAs !== undefined) owner.keeper?.forget(owner.keptAs);
}

/** Has `keeper` told once the owner is retired; there is one keeper at most. */
export function keepFor(owner: Owner, keeper: Keeper, keptAs: number): void {
  const version: Mutable<Owner> = owner;
  version.keeper = keeper;
  version.keptAs = keptAs;
}

/** Sets that are made when first asked for: a Service with thousands of endpoints is asked for few of its types. */
export function recordSets(makers: Readonly<Record<number, () => readonly Uint8Array[]>>): RecordSets {
  const made = new Map<number, readonly Uint8Array[]>();
  const get = (type: number): readonly Uint8Array[] | undefined => {
    let set = made.get(type);
    if (set === undefined) {
      set = makers[type]?.();
      if (set === undefined) return undefined;
      made.set(type, set);
    }
    return set.length === 0 ? undefined : set;
  };
  const types = (): number[] =>
    Object.keys(makers)
      .map(Number)
      .filter((type) => get(type) !== undefined);
  return { get, types };
}

const noSets = recordSets({});

/** A name that exists without records of its own. */
export function emptyName(source: string): NameData {
  return { source, ttl: 0, sets: noSets };
}

/** An alias (CNAME). */
export function aliasName(source: string, ttl: number, alias: Name): NameData {
  return { source, ttl, alias, sets: noSets };
}
