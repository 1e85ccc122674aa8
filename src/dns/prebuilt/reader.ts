import { ownUdpSize } from '../wire/edns.ts';
import { flags as messageFlags } from '../wire/types.ts';
import { isTransfer, refusalOfType, typeNumbers } from '../wire/types.ts';
import { AskedName } from './asked-name.ts';
import { copy, setWord16, word16 } from './bytes.ts';
import { othersType } from './layout.ts';
import { Shelf } from './shelf.ts';

/** Memories of `PrebuiltWriter`s that answers are read from. */
export interface PrebuiltMemory {
  /** Names of the cluster. */
  readonly cluster: SharedArrayBuffer | undefined;
  /** What others answered to questions that the cluster knows nothing about, good for a time. */
  readonly others: SharedArrayBuffer | undefined;
}

const optLength = 11;

/**
 * Answers plain questions straight from their packets: no object is made. Plain is one question of class IN, with or without
 * an OPT record that has no options. Everything else, and every name that is not there, is for the ordinary path, which
 * gives the same bytes.
 */
export class PrebuiltReader {
  /** Of the answer given last: its code, the type that was asked for, whether the asker set DO, and whether others gave it. */
  rcode = 0;
  type = 0;
  dnssecOk = false;
  isOthers = false;
  #isAuthoritative = false;
  /** Answers, and authority records << 16. */
  #records = 0;
  #additionals = 0;
  readonly #cluster: Shelf | undefined;
  readonly #others: Shelf | undefined;
  readonly #now: () => number;
  readonly #name = new AskedName();

  /** `now` is Unix milliseconds. */
  constructor({ cluster, others }: PrebuiltMemory, now: () => number) {
    this.#cluster = cluster && new Shelf(cluster);
    this.#others = others && new Shelf(others);
    this.#now = now;
  }

  /**
   * Answers the packet of `length` bytes at `at` into `out` from `outAt`, where 1232 bytes are free; returns the answer's
   * length, 0 when there is none ready. `recursionAvailable` becomes RA; `turn` is any number, and says which address record
   * comes first.
   */
  answer(
    packet: Uint8Array,
    at: number,
    length: number,
    out: Uint8Array,
    outAt: number,
    recursionAvailable: boolean,
    turn: number,
  ): number {
    const additional = packet[at + 11] ?? 0;
    if (length < 17 || additional > 1 || !hasOneQuestion(packet, at)) return 0;
    const end = this.#name.read(packet, at + 12, at + length - 4);
    if (end === 0) return 0;
    const type = word16(packet, end);
    if (word16(packet, end + 2) !== 1 || !isOrdinary(type)) return 0;
    if (additional === 1 && !isPlainOpt(packet, end + 4, at + length)) return 0;
    const size = additional === 1 ? word16(packet, end + 7) : 0;
    this.type = type;
    this.dnssecOk = additional === 1 && ((packet[end + 11] ?? 0) & 0x80) !== 0;
    const from = outAt + end + 4 - at;
    const limit = outAt + Math.min(Math.max(size, 512), ownUdpSize) - additional * optLength;
    const asked = word16(packet, at + 2);
    let bodyEnd = this.#cluster === undefined ? 0 : this.#copy(this.#cluster, false, type, out, from, limit, turn);
    if (bodyEnd === 0 && this.#others !== undefined && (asked & messageFlags.RD) !== 0) {
      const kept = othersType(type, this.dnssecOk, (asked & messageFlags.CD) !== 0);
      bodyEnd = this.#copy(this.#others, true, kept, out, from, limit, turn);
    }
    if (bodyEnd === 0) return 0;
    copy(packet, at, out, outAt, end + 4 - at);
    this.#writeHeader(asked, out, outAt, recursionAvailable, additional);
    if (additional === 0) return bodyEnd - outAt;
    writeOpt(out, bodyEnd, packet[end + 11] ?? 0);
    return bodyEnd + optLength - outAt;
  }

  /** Copies the body of the answer to the name at hand, and notes its head; returns the body's end, 0 when there is none. */
  #copy(
    shelf: Shelf,
    isOthers: boolean,
    type: number,
    out: Uint8Array,
    from: number,
    limit: number,
    turn: number,
  ): number {
    const name = this.#name;
    const epoch = shelf.epoch();
    const entry = isOthers ? shelf.look(name, type, 0) : shelf.find(name, type);
    if (entry === 0) return 0;
    const end = shelf.copyBody(entry, name.length, out, from, limit, turn);
    if (end === 0 || (isOthers && !shelf.age(entry, out, from, end, this.#now()))) return 0;
    this.rcode = shelf.rcode(entry);
    this.#isAuthoritative = shelf.isAuthoritative(entry);
    this.#records = shelf.records(entry);
    this.#additionals = shelf.additionals(entry);
    const isAnswer = this.rcode === 0 && (this.#records & 0xffff) > 0;
    if (!shelf.isValid(entry, epoch)) return 0;
    this.isOthers = isOthers;
    if (isOthers) shelf.given(name, type, isAnswer);
    return end;
  }

  #writeHeader(asked: number, out: Uint8Array, outAt: number, recursionAvailable: boolean, opt: number): void {
    const repeated = asked & (messageFlags.RD | messageFlags.CD);
    const given = (this.#isAuthoritative ? messageFlags.AA : 0) | this.rcode;
    setWord16(out, outAt + 2, messageFlags.QR | repeated | given | (recursionAvailable ? messageFlags.RA : 0));
    setWord16(out, outAt + 6, this.#records & 0xffff);
    setWord16(out, outAt + 8, this.#records >>> 16);
    setWord16(out, outAt + 10, this.#additionals + opt);
  }
}

/** A query of opcode 0 with one question and nothing else but at most 255 additional records. */
function hasOneQuestion(packet: Uint8Array, at: number): boolean {
  return (
    ((packet[at + 2] ?? 255) & 0xf8) === 0 &&
    packet[at + 4] === 0 &&
    packet[at + 5] === 1 &&
    packet[at + 6] === 0 &&
    packet[at + 7] === 0 &&
    packet[at + 8] === 0 &&
    packet[at + 9] === 0 &&
    packet[at + 10] === 0
  );
}

/** Zone transfers, and types that cannot be asked for, have answers of their own, whatever the name. */
function isOrdinary(type: number): boolean {
  return !isTransfer(type) && refusalOfType(type) === undefined;
}

/** An OPT record of version 0 without options. */
function isPlainOpt(packet: Uint8Array, at: number, end: number): boolean {
  return (
    at + optLength <= end &&
    packet[at] === 0 &&
    word16(packet, at + 1) === typeNumbers.OPT &&
    packet[at + 6] === 0 &&
    word16(packet, at + 9) === 0
  );
}

/** An OPT record of this server; of the asker's flags only DO is known. */
function writeOpt(out: Uint8Array, at: number, askedFlags: number): void {
  out[at] = 0;
  setWord16(out, at + 1, typeNumbers.OPT);
  setWord16(out, at + 3, ownUdpSize);
  out[at + 5] = 0;
  out[at + 6] = 0;
  setWord16(out, at + 7, (askedFlags & 0x80) << 8);
  setWord16(out, at + 9, 0);
}
