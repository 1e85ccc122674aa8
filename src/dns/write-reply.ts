import type { Reply, Rotation } from './reply.ts';
import { writeEdns } from './wire/edns.ts';
import type { Edns } from './wire/edns.ts';
import { flags } from './wire/types.ts';

/** What of a request its answer repeats. */
export interface Asked {
  readonly id: number;
  /** Request flags to repeat: opcode, RD, CD. */
  readonly repeat: number;
  /** Question section as asked; empty when it could not be read. */
  readonly question: Uint8Array;
  readonly edns: Edns | undefined;
  /** Options of the answer in wire form; undefined for none. */
  readonly options?: Uint8Array;
  /** The answer's length is to say nothing (RFC 8467 4.1). */
  readonly isPadded?: boolean;
}

export interface WriteOptions {
  /** Most bytes the asker can take. */
  readonly limit: number;
  /** Recursion is offered (RA). */
  readonly recursionAvailable: boolean;
  /** Which address record comes first: any number. */
  readonly turn: number;
}

/** Common OPT records, so that most answers only copy them. */
const plainOpt = writeEdns(0, false);
const dnssecOpt = writeEdns(0, true);

/**
 * Writes a whole answer into `out` from `at` and returns its length. Records that do not fit `limit` are left out: first
 * additional ones, which are only a courtesy; then, with the TC bit, the end of what was asked for (RFC 2181 9).
 */
export function writeReply(out: Buffer, at: number, asked: Asked, reply: Reply, options: WriteOptions): number {
  const { question } = asked;
  const opt = asked.edns && optOf(asked, asked.edns.dnssecOk, reply);
  const optLength = opt?.length ?? 0;
  const fixed = 12 + question.length + optLength;
  const cut = fixed + reply.body.length <= options.limit ? reply : fit(reply, options.limit - fixed, options.turn);
  const isCut = cut.answers < reply.answers || cut.authorities < reply.authorities;

  let word = flags.QR | asked.repeat | (reply.rcode & 15);
  if (reply.authoritative) word |= flags.AA;
  if (isCut) word |= flags.TC;
  if (options.recursionAvailable) word |= flags.RA;
  out.writeUInt16BE(asked.id, at);
  out.writeUInt16BE(word, at + 2);
  out.writeUInt16BE(question.length === 0 ? 0 : 1, at + 4);
  out.writeUInt16BE(cut.answers, at + 6);
  out.writeUInt16BE(cut.authorities, at + 8);
  out.writeUInt16BE(cut.additionals + (opt === undefined ? 0 : 1), at + 10);
  out.set(question, at + 12);
  const bodyAt = at + 12 + question.length;
  // A reply that was cut was turned before.
  if (cut === reply && cut.rotation !== undefined) copyTurned(out, bodyAt, cut.body, cut.rotation, options.turn);
  else out.set(cut.body, bodyAt);
  if (opt !== undefined) out.set(opt, bodyAt + cut.body.length);
  const length = fixed + cut.body.length;
  return opt !== undefined && asked.isPadded === true ? pad(out, at, length, opt.length, options.limit) : length;
}

/** Answers are made a multiple of this long, as far as the limit lets them (RFC 8467 4.1). */
const paddingBlock = 468;
const paddingOption = 12;

/** Puts a padding option behind the last of the OPT record, which ends the answer; returns the new length. */
function pad(out: Buffer, at: number, length: number, optLength: number, limit: number): number {
  const wanted = Math.ceil((length + 4) / paddingBlock) * paddingBlock;
  const padded = Math.min(wanted, limit);
  if (padded < length + 4) return length;
  const end = at + length;
  out.writeUInt16BE(paddingOption, end);
  out.writeUInt16BE(padded - length - 4, end + 2);
  out.fill(0, end + 4, at + padded);
  // The length of all options is the last field before them.
  const field = end - optLength + 9;
  out.writeUInt16BE(out.readUInt16BE(field) + padded - length, field);
  return padded;
}

function optOf({ options }: Asked, dnssecOk: boolean, { rcode, error }: Reply): Uint8Array {
  if (rcode < 16 && error === undefined && options === undefined) return dnssecOk ? dnssecOpt : plainOpt;
  return writeEdns(rcode, dnssecOk, error, options);
}

/** Copies a body whose rotating records start with the one at `turn`. */
function copyTurned(out: Buffer, at: number, body: Uint8Array, { start, size, count }: Rotation, turn: number): void {
  const end = start + size * count;
  const middle = start + size * (turn % count);
  out.set(body.subarray(0, start), at);
  out.set(body.subarray(middle, end), at + start);
  out.set(body.subarray(start, middle), at + start + end - middle);
  out.set(body.subarray(end), at + end);
}

/** As much of a reply as fits into `space` bytes. Turned before it is cut, so that every address gets its turn. */
function fit(reply: Reply, space: number, turn: number): Reply {
  const turned = Buffer.alloc(reply.body.length);
  if (reply.rotation === undefined) turned.set(reply.body);
  else copyTurned(turned, 0, reply.body, reply.rotation, turn);
  const ends = recordEnds(turned);
  const needed = ends.slice(0, reply.answers + reply.authorities);
  const kept = needed.findIndex((end) => end > space);
  // SRV answers name hosts whose addresses can be asked for: without them the answer is still whole.
  const count = kept < 0 ? ends.filter((end) => end <= space).length : kept;
  const answers = Math.min(count, reply.answers);
  const authorities = Math.min(count - answers, reply.authorities);
  return {
    ...reply,
    body: turned.subarray(0, ends[count - 1] ?? 0),
    answers,
    authorities,
    additionals: count - answers - authorities,
    rotation: undefined,
  };
}

/** Seconds that all records of a reply are good for; undefined when it has none. For caches of HTTP (RFC 8484 5.1). */
export function lowestTtl({ body }: Reply): number | undefined {
  const bytes = bufferOf(body);
  const ttls = ttlOffsets(body).map((at) => bytes.readUInt32BE(at));
  return ttls.length === 0 ? undefined : Math.min(...ttls);
}

/** Where the TTLs are in a body that this server wrote. */
export function ttlOffsets(body: Uint8Array): number[] {
  const bytes = bufferOf(body);
  const starts = body.length === 0 ? [] : [0, ...recordEnds(bytes).slice(0, -1)];
  return starts.map((at) => endOfOwner(bytes, at) + 4);
}

function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

/** Offset behind the owner's name of a record. */
function endOfOwner(body: Buffer, start: number): number {
  let at = start;
  while ((body[at] ?? 0) > 0 && (body[at] ?? 0) < 192) at += (body[at] ?? 0) + 1;
  return at + (body[at] === 0 ? 1 : 2);
}

/** Offsets behind each record of a body. The body is one that this server wrote. */
function recordEnds(body: Buffer): number[] {
  const ends: number[] = [];
  let at = 0;
  while (at < body.length) {
    at = endOfOwner(body, at);
    at += 10 + body.readUInt16BE(at + 8);
    ends.push(at);
  }
  return ends;
}
