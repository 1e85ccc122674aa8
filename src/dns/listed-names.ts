import type { NameData } from './name-data.ts';
import { recordsOf } from './reply.ts';
import type { ResourceRecord } from './wire/message.ts';
import type { Name } from './wire/names.ts';
import { nameRdata } from './wire/rdata.ts';
import { typeNumbers } from './wire/types.ts';

/** A name of a zone with its data: what a zone transfer is made of. */
export type ListedName = readonly [name: Name, data: NameData];

/** The records of names, put together one name at a time; without SOA, which a transfer has in places of its own. */
export function* recordsOfNames(names: Iterable<ListedName>): Generator<ResourceRecord> {
  for (const [name, { alias, sets, ttl }] of names) {
    if (alias !== undefined) yield* recordsOf(name, typeNumbers.CNAME, ttl, [nameRdata(alias)]);
    for (const type of sets.types()) {
      if (type !== typeNumbers.SOA) yield* recordsOf(name, type, ttl, sets.get(type));
    }
  }
}

/**
 * The serial of a zone that has changed: the time, and another one than that of a zone that was given away. It never goes
 * back.
 */
export function nextSerial(before: number, isGiven: boolean, nowSeconds: number): number {
  return Math.max(nowSeconds, isGiven ? before + 1 : before);
}

/** One after the other. */
export function* concat<T>(...parts: readonly Iterable<T>[]): Generator<T> {
  for (const part of parts) yield* part;
}
