import type { Owner } from './name-data.ts';
import type { ExtendedError } from './wire/edns.ts';
import { readMessage } from './wire/message.ts';
import type { Question, ResourceRecord } from './wire/message.ts';
import type { Name } from './wire/names.ts';
import { rcodes, typeNumbers } from './wire/types.ts';
import { Writer } from './wire/writer.ts';

/**
 * An answer without what differs between two askers of one name: everything behind the question section, as bytes. Its
 * compression pointers count on the question being at offset 12, so it fits every query for a name of the same length.
 */
export interface Reply {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly body: Uint8Array;
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
  /** Address records to start with another one of each time. */
  readonly rotation?: Rotation;
  readonly error?: ExtendedError;
  /** From the cache of upstream answers. */
  readonly isCached?: boolean;
  /** The asker gets nothing at all. */
  readonly isSilent?: boolean;
  /** A whole zone in place of a body, for one who takes several messages. */
  readonly transfer?: Transfer;
  /** Whose change makes it stale; undefined when it must not be kept. */
  readonly owner?: Owner;
}

/** A zone of one serial. */
export interface Transfer {
  readonly question: Question;
  /** Sent before and after the others. */
  readonly soa: ResourceRecord;
  /** To be gone through once, at any time. */
  readonly records: Iterable<ResourceRecord>;
}

/** Equal-sized records in a body: `count` of `size` bytes from `start`. */
export interface Rotation {
  readonly start: number;
  readonly size: number;
  readonly count: number;
}

/** The parts of a reply before they are bytes. */
export interface ReplyParts {
  readonly rcode?: number;
  readonly authoritative?: boolean;
  readonly answers?: readonly ResourceRecord[];
  readonly authorities?: readonly ResourceRecord[];
  readonly additionals?: readonly ResourceRecord[];
  readonly error?: ExtendedError;
  readonly owner?: Owner;
}

/** Writes a reply to a question; only the name's length and labels matter, not its case. */
export function buildReply(question: Question, parts: ReplyParts): Reply {
  const { rcode = rcodes.NOERROR, authoritative = true, answers = [], authorities = [], additionals = [] } = parts;
  const writer = new Writer();
  writer.header(0, 0, [0, 0, 0, 0]);
  writer.question(question);
  const start = writer.length;
  const ends = answers.map((record) => {
    writer.record(record);
    return writer.length - start;
  });
  for (const record of [...authorities, ...additionals]) writer.record(record);
  return {
    rcode,
    authoritative,
    body: Uint8Array.from(writer.bytes().subarray(start)),
    answers: answers.length,
    authorities: authorities.length,
    additionals: additionals.length,
    rotation: rotationOf(answers, ends),
    error: parts.error,
    owner: parts.owner,
  };
}

/** The records of a reply to a question again: for handlers that change what others answered. */
export function readReply(question: Question, reply: Reply): ReadReply {
  const writer = new Writer();
  writer.header(0, 0, [1, reply.answers, reply.authorities, reply.additionals]);
  writer.question(question);
  const message = readMessage(Buffer.concat([writer.bytes(), reply.body]));
  // The bytes are of this server; they cannot be malformed.
  if ('malformed' in message) throw new Error(`a reply of this server is malformed: ${message.malformed}`);
  const { answers, authorities, additionals } = message;
  const { rcode, authoritative, error, owner } = reply;
  return { rcode, authoritative, answers, authorities, additionals, error, owner };
}

/** What `readReply` gives: parts of which all but error and owner are there. */
export type ReadReply = Required<Omit<ReplyParts, 'error' | 'owner'>> & Pick<ReplyParts, 'error' | 'owner'>;

/** A reply that says nothing but its code. */
export function codeReply(rcode: number, error?: ExtendedError): Reply {
  return {
    rcode,
    authoritative: false,
    body: new Uint8Array(),
    answers: 0,
    authorities: 0,
    additionals: 0,
    error,
  };
}

/** The address records at the end of the answers, when there are several of one name and type. */
function rotationOf(answers: readonly ResourceRecord[], ends: readonly number[]): Rotation | undefined {
  const last = answers.at(-1);
  if (last === undefined || (last.type !== typeNumbers.A && last.type !== typeNumbers.AAAA)) return undefined;
  const size = (ends.at(-1) ?? 0) - (ends.at(-2) ?? 0);
  let first = answers.length - 1;
  while (first > 0 && isAlike(answers[first - 1], last) && sizeAt(ends, first - 1) === size) first -= 1;
  const count = answers.length - first;
  return count > 1 ? { start: ends[first - 1] ?? 0, size, count } : undefined;
}

function isAlike(record: ResourceRecord | undefined, other: ResourceRecord): boolean {
  return record?.type === other.type && record.name === other.name;
}

function sizeAt(ends: readonly number[], index: number): number {
  return (ends[index] ?? 0) - (ends[index - 1] ?? 0);
}

/** Records of one name and type from their RDATA. */
export function recordsOf(
  name: Name,
  type: number,
  ttl: number,
  rdata: readonly Uint8Array[] | undefined,
): ResourceRecord[] {
  return (rdata ?? []).map((bytes) => ({ name, type, class: 1, ttl, rdata: bytes }));
}
