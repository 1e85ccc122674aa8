import type { Message, Question, ResourceRecord } from '../wire/message.ts';
import { isWithin, nameKey } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { nameOfRdata, soaNumbers } from '../wire/rdata.ts';
import { typeNumbers } from '../wire/types.ts';

const { CNAME, DNAME, SOA, NSEC, NSEC3, RRSIG } = typeNumbers;

/** The part of an upstream's message that answers the question. */
export interface Relevant {
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  /** Seconds that it may be kept by its own words. */
  readonly ttl: number;
}

/** Seconds: no TTL is longer (RFC 2181 8). */
const longest = 0x7fffffff;
/** Seconds for a negative answer without SOA, which gives no time of its own (RFC 2308 5 lets it be kept briefly). */
const withoutSoa = 5;

/** Aliases of one answer: resolvers follow no more than about that many either, and their number is the work we do. */
const mostAliases = 16;

/**
 * Takes out of a message what was asked for: the chain of aliases from the question's name, the records at its end, and
 * for a negative answer the SOA record. Everything else a server adds is not believed, because nobody asked.
 * Undefined when the aliases lead nowhere.
 */
export function relevantOf(message: Message, question: Question): Relevant | undefined {
  const names = chainNames(message.answers, question);
  if (names === undefined) return undefined;
  const wanted = new Set<number>([question.type, CNAME, DNAME, RRSIG]);
  const answers = message.answers.filter(
    (record) => wanted.has(record.type) && (names.has(nameKey(record.name)) || isDname(record, names)),
  );
  const isPositive = answers.some((record) => record.type === question.type) || question.type === typeNumbers.ANY;
  if (isPositive) return { answers, authorities: [], ttl: lowestTtl(answers) };
  const authorities = message.authorities.filter((record) => isNegativeProof(record, names));
  return { answers, authorities, ttl: Math.min(negativeTtl(authorities), lowestTtl(answers)) };
}

/**
 * Names from the question's along the aliases, which may come in any order; undefined when they go round, or on for too
 * long.
 */
function chainNames(answers: readonly ResourceRecord[], { name }: Question): Set<Name> | undefined {
  const targets = new Map<Name, Name>();
  for (const { type, name: owner, rdata } of answers)
    if (type === CNAME) targets.set(nameKey(owner), nameKey(nameOfRdata(rdata)));
  const names = new Set<Name>();
  for (let next: Name | undefined = nameKey(name); next !== undefined; next = targets.get(next)) {
    if (names.has(next) || names.size > mostAliases) return undefined;
    names.add(next);
  }
  return names;
}

function isDname(record: ResourceRecord, names: Set<Name>): boolean {
  return record.type === DNAME && [...names].some((name) => isWithin(name, nameKey(record.name)));
}

/** The SOA of a zone that a name of the chain is in; proofs of non-existence and signatures come with it. */
function isNegativeProof(record: ResourceRecord, names: Set<Name>): boolean {
  if (record.type === SOA) return [...names].some((name) => isWithin(name, nameKey(record.name)));
  return record.type === NSEC || record.type === NSEC3 || record.type === RRSIG;
}

function negativeTtl(authorities: readonly ResourceRecord[]): number {
  const soa = authorities.find((record) => record.type === SOA);
  if (soa === undefined) return withoutSoa;
  const minimum = soa.rdata.length >= 22 ? soaNumbers(soa.rdata).minimum : withoutSoa;
  return Math.min(soa.ttl, minimum);
}

function lowestTtl(records: readonly ResourceRecord[]): number {
  return records.reduce<number>((lowest, record) => Math.min(lowest, record.ttl), longest);
}
