import { ownUdpSize } from '../wire/edns.ts';
import { flags as messageFlags } from '../wire/types.ts';
import { isTransfer, refusalOfType, typeNumbers } from '../wire/types.ts';
import {
  control,
  denialOffset,
  entryFlags,
  hashByte,
  hashStart,
  headWords,
  lowerByte,
  offsets,
  slotCount,
  slotHash,
} from './layout.ts';

const longestName = 255;
const optLength = 11;

/**
 * Answers plain questions straight from their packets: no object is made. Plain is one question of class IN, with or without
 * an OPT record that has no options. Everything else, and every name that is not there, is for the ordinary path, which
 * gives the same bytes.
 */
export class PrebuiltReader {
  /** Of the answer given last: its code, the type that was asked for, and whether the asker set DO. */
  rcode = 0;
  type = 0;
  dnssecOk = false;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  /** The name at hand in lower case, where its labels start, and the hashes of the ends that start there. */
  readonly #name = new Uint8Array(longestName + 1);
  readonly #starts = new Int32Array(128);
  readonly #hashes = new Int32Array(128);
  #labels = 0;
  #nameLength = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
    this.#bytes = new Uint8Array(memory);
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
    const end = this.#readName(packet, at + 12, at + length - 4);
    if (end === 0) return 0;
    const type = word16(packet, end);
    if (word16(packet, end + 2) !== 1 || !isOrdinary(type)) return 0;
    if (additional === 1 && !isPlainOpt(packet, end + 4, at + length)) return 0;
    const size = additional === 1 ? word16(packet, end + 7) : 0;
    const limit = Math.min(Math.max(size, 512), ownUdpSize);
    const epoch = Atomics.load(this.#words, control.epoch);
    const entry = this.#find(type);
    if (entry === 0) return 0;
    const questionEnd = outAt + end + 4 - at;
    const bodyEnd = this.#copyBody(entry, out, questionEnd, outAt + limit - additional * optLength, turn);
    if (bodyEnd === 0 || !this.#isValid(entry, epoch)) return 0;
    copy(packet, at, out, outAt, end + 4 - at);
    this.#writeHeader(entry, packet, at, out, outAt, recursionAvailable, additional);
    this.type = type;
    this.dnssecOk = additional === 1 && ((packet[end + 11] ?? 0) & 0x80) !== 0;
    if (additional === 0) return bodyEnd - outAt;
    writeOpt(out, bodyEnd, packet[end + 11] ?? 0);
    return bodyEnd + optLength - outAt;
  }

  /** Reads the name at `at`, which ends before `limit`; returns where its end is, 0 when it is not plain. */
  #readName(packet: Uint8Array, at: number, limit: number): number {
    let end = at;
    let labels = 0;
    for (;;) {
      const size = packet[end] ?? 0;
      if (size > 63 || labels >= 127) return 0;
      this.#starts[labels] = end - at;
      end += 1 + size;
      if (end > limit) return 0;
      if (size === 0) break;
      labels += 1;
    }
    if (end - at > longestName) return 0;
    this.#labels = labels;
    this.#nameLength = end - at;
    this.#hash(packet, at);
    return end;
  }

  #hash(packet: Uint8Array, at: number): void {
    let hash = hashStart;
    let index = this.#nameLength - 1;
    for (let label = this.#labels; label >= 0; label -= 1) {
      const start = this.#starts[label] ?? 0;
      for (; index >= start; index -= 1) {
        const byte = lowerByte(packet[at + index] ?? 0);
        this.#name[index] = byte;
        hash = hashByte(hash, byte);
      }
      this.#hashes[label] = hash;
    }
  }

  /** Word offset of the entry for the name at hand: its own, or that it or what it is below does not exist. 0 for none. */
  #find(type: number): number {
    const own = this.#look(type, 0);
    if (own !== 0) return own;
    for (let label = 0; label < this.#labels; label += 1) {
      const denial = this.#look(0, label);
      if (denial !== 0) return denial;
    }
    return 0;
  }

  #look(type: number, label: number): number {
    const hash = slotHash(this.#hashes[label] ?? 0, type);
    const start = this.#starts[label] ?? 0;
    // Plain reads will do: what is read of an entry depends on the word that leads to it, and is looked at again later.
    let slot = (hash >>> 1) & (slotCount - 1);
    for (;;) {
      const at = (offsets.slots >> 2) + slot * 2;
      const found = this.#words[at];
      if (found === 0) return 0;
      if (found === hash) {
        const entry = this.#words[at + 1] ?? 0;
        if (this.#isAbout(entry, type, start)) return this.#isCurrent(entry) ? entry : 0;
      }
      slot = (slot + 1) & (slotCount - 1);
    }
  }

  #isAbout(entry: number, type: number, start: number): boolean {
    const length = this.#nameLength - start;
    if (this.#words[entry] !== type || ((this.#words[entry + 3] ?? 0) & 255) !== length) return false;
    const at = (entry + headWords) << 2;
    for (let index = 0; index < length; index += 1) {
      if (this.#bytes[at + index] !== this.#name[start + index]) return false;
    }
    return true;
  }

  #isCurrent(entry: number): boolean {
    const owner = (offsets.owners >> 2) + (this.#words[entry + 1] ?? 0);
    return Atomics.load(this.#words, owner) === this.#words[entry + 2];
  }

  /** Whether what was copied of an entry was its. */
  #isValid(entry: number, epoch: number): boolean {
    return this.#isCurrent(entry) && (epoch & 1) === 0 && Atomics.load(this.#words, control.epoch) === epoch;
  }

  /** Returns the end of the body; 0 when it does not fit or is not there. */
  #copyBody(entry: number, out: Uint8Array, to: number, limit: number, turn: number): number {
    const words = this.#words;
    if (((words[entry + 4] ?? 0) & entryFlags.denial) !== 0) return this.#copyDenial(entry, out, to, limit);
    const head = words[entry + 3] ?? 0;
    const length = head >>> 8;
    const at = ((entry + headWords) << 2) + (head & 255);
    if (to + length > limit) return 0;
    const count = (words[entry + 6] ?? 0) >>> 16;
    if (count === 0) {
      copy(this.#bytes, at, out, to, length);
      return to + length;
    }
    const start = (words[entry + 7] ?? 0) & 0xffff;
    const size = (words[entry + 7] ?? 0) >>> 16;
    const end = start + size * count;
    const middle = start + size * (turn % count);
    copy(this.#bytes, at, out, to, start);
    copy(this.#bytes, at + middle, out, to + start, end - middle);
    copy(this.#bytes, at + start, out, to + start + end - middle, middle - start);
    copy(this.#bytes, at + end, out, to + end, length - end);
    return to + length;
  }

  /** The zone's SOA record, with today's serial. */
  #copyDenial(entry: number, out: Uint8Array, to: number, limit: number): number {
    const at = denialOffset(this.#words[entry + 5] ?? 0, this.#nameLength);
    const length = Atomics.load(this.#words, at >> 2);
    const end = to + length;
    if (length === 0 || end > limit) return 0;
    copy(this.#bytes, at + 4, out, to, length);
    // Serial, refresh, retry, expire and minimum end a SOA record (RFC 1035 3.3.13).
    const serial = Atomics.load(this.#words, control.serial);
    setWord16(out, end - 20, serial >>> 16);
    setWord16(out, end - 18, serial & 0xffff);
    return end;
  }

  #writeHeader(
    entry: number,
    packet: Uint8Array,
    at: number,
    out: Uint8Array,
    outAt: number,
    recursionAvailable: boolean,
    opt: number,
  ): void {
    const about = this.#words[entry + 4] ?? 0;
    const isDenial = (about & entryFlags.denial) !== 0;
    this.rcode = about >>> 8;
    const repeated = word16(packet, at + 2) & (messageFlags.RD | messageFlags.CD);
    const given = ((about & entryFlags.authoritative) === 0 ? 0 : messageFlags.AA) | (about >>> 8);
    setWord16(out, outAt + 2, messageFlags.QR | repeated | given | (recursionAvailable ? messageFlags.RA : 0));
    const records = isDenial ? 1 << 16 : (this.#words[entry + 5] ?? 0);
    setWord16(out, outAt + 6, records & 0xffff);
    setWord16(out, outAt + 8, records >>> 16);
    setWord16(out, outAt + 10, (isDenial ? 0 : (this.#words[entry + 6] ?? 0) & 0xffff) + opt);
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

function word16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function setWord16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** A few dozen bytes: a loop is faster than making views for `set`. */
function copy(from: Uint8Array, at: number, to: Uint8Array, toAt: number, length: number): void {
  for (let index = 0; index < length; index += 1) to[toAt + index] = from[at + index] ?? 0;
}
