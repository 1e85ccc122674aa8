import type { AskedName } from './asked-name.ts';
import { copy, setWord16, setWord32, word32 } from './bytes.ts';
import {
  control,
  countOf,
  countLines,
  denialOffset,
  entryFlags,
  headWords,
  lifeBits,
  offsets,
  popularityCounts,
  slotCount,
  slotHash,
} from './layout.ts';

/** Reads the answers in one memory of a `PrebuiltWriter`. Entries are word offsets, 0 for none. */
export class Shelf {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  /** Where this reader counts what it gave; no other thread writes there. */
  #line = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
    this.#bytes = new Uint8Array(memory);
    this.#line = countOf(Atomics.add(this.#words, control.readers, 1) % countLines);
  }

  epoch(): number {
    return Atomics.load(this.#words, control.epoch);
  }

  /** The entry for a name: its own, or that it or what it is below does not exist. */
  find(name: AskedName, type: number): number {
    const own = this.look(name, type, 0);
    if (own !== 0) return own;
    for (let label = 0; label < name.labels; label += 1) {
      const denial = this.look(name, 0, label);
      if (denial !== 0) return denial;
    }
    return 0;
  }

  /** The entry for the end of a name that starts at a label. */
  look(name: AskedName, type: number, label: number): number {
    const hash = slotHash(name.hashes[label] ?? 0, type);
    const start = name.starts[label] ?? 0;
    // Plain reads will do: what is read of an entry depends on the word that leads to it, and is looked at again later.
    let slot = (hash >>> 1) & (slotCount - 1);
    for (;;) {
      const at = (offsets.slots >> 2) + slot * 2;
      const found = this.#words[at];
      if (found === 0) return 0;
      if (found === hash) {
        const entry = this.#words[at + 1] ?? 0;
        if (this.#isAbout(entry, type, name, start)) return this.#isCurrent(entry) ? entry : 0;
      }
      slot = (slot + 1) & (slotCount - 1);
    }
  }

  /** Whether what was copied of an entry was its. */
  isValid(entry: number, epoch: number): boolean {
    return this.#isCurrent(entry) && (epoch & 1) === 0 && Atomics.load(this.#words, control.epoch) === epoch;
  }

  isDenial(entry: number): boolean {
    return ((this.#words[entry + 4] ?? 0) & entryFlags.denial) !== 0;
  }

  isAuthoritative(entry: number): boolean {
    return ((this.#words[entry + 4] ?? 0) & entryFlags.authoritative) !== 0;
  }

  rcode(entry: number): number {
    return (this.#words[entry + 4] ?? 0) >>> 8;
  }

  /** Answers, and authority records << 16. */
  records(entry: number): number {
    return this.isDenial(entry) ? 1 << 16 : (this.#words[entry + 5] ?? 0);
  }

  additionals(entry: number): number {
    return this.isDenial(entry) ? 0 : (this.#words[entry + 6] ?? 0) & 0xffff;
  }

  /** Copies the body of an answer to a name so long; returns its end, 0 when it does not fit or is not there. */
  copyBody(entry: number, nameLength: number, out: Uint8Array, to: number, limit: number, turn: number): number {
    const words = this.#words;
    if (this.isDenial(entry)) return this.#copyDenial(entry, nameLength, out, to, limit);
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

  /** Takes from the TTLs of a body between two offsets of `out` how old it is; false when its time is over. */
  age(entry: number, out: Uint8Array, start: number, end: number, nowMs: number): boolean {
    const life = this.#words[entry + 9] ?? 0;
    const age = Math.floor((nowMs - (life >>> lifeBits)) / 1000) - (this.#words[entry + 8] ?? 0);
    if (age < 0 || age >= (life & ((1 << lifeBits) - 1))) return false;
    if (age === 0) return true;
    const records = this.#words[entry + 5] ?? 0;
    const count = (records & 0xffff) + (records >>> 16) + this.additionals(entry);
    const head = this.#words[entry + 3] ?? 0;
    let list = ((entry + headWords) << 2) + (head & 255) + (head >>> 8);
    for (let index = 0; index < count; index += 1, list += 2) {
      const at = start + (((this.#bytes[list] ?? 0) << 8) | (this.#bytes[list + 1] ?? 0));
      // The entry may have been overwritten meanwhile: then this is no offset.
      if (at + 4 > end) return false;
      setWord32(out, at, Math.max(0, word32(out, at) - age));
    }
    return true;
  }

  /** An answer of others was given to a question for a name. Threads may lose some of a name's to each other, none of the sums. */
  given(name: AskedName, type: number, isAnswer: boolean): void {
    const at = (offsets.popularity >> 2) + (slotHash(name.hashes[0] ?? 0, type) & (popularityCounts - 1));
    this.#words[at] = (this.#words[at] ?? 0) + 1;
    Atomics.add(this.#words, this.#line + (isAnswer ? 0 : 1), 1);
  }

  #isAbout(entry: number, type: number, name: AskedName, start: number): boolean {
    const length = name.length - start;
    if (this.#words[entry] !== type || ((this.#words[entry + 3] ?? 0) & 255) !== length) return false;
    const at = (entry + headWords) << 2;
    for (let index = 0; index < length; index += 1) {
      if (this.#bytes[at + index] !== name.bytes[start + index]) return false;
    }
    return true;
  }

  #isCurrent(entry: number): boolean {
    const owner = (offsets.owners >> 2) + (this.#words[entry + 1] ?? 0);
    return Atomics.load(this.#words, owner) === this.#words[entry + 2];
  }

  /** The zone's SOA record, with today's serial. */
  #copyDenial(entry: number, nameLength: number, out: Uint8Array, to: number, limit: number): number {
    const at = denialOffset(this.#words[entry + 5] ?? 0, nameLength);
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
}
