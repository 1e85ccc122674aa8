import { keepFor, type Keeper, type Owner } from '../name-data.ts';
import type { Reply } from '../reply.ts';
import type { Name } from '../wire/names.ts';
import { ttlOffsets } from '../write-reply.ts';
import type { Zone } from '../zone.ts';
import {
  clusterSize,
  control,
  countLines,
  countOf,
  denialOffset,
  denialSize,
  entryFlags,
  hashByte,
  hashStart,
  headWords,
  lifeBits,
  maxOwners,
  maxZones,
  offsets,
  othersType,
  popularityCounts,
  slotCount,
  slotHash,
} from './layout.ts';

/** Slots used at most: probing stays short. */
const mostSlots = slotCount >> 1;
/** Denials kept a second: names that do not exist are the asker's invention, and must not push out those that do. */
const denialsASecond = 500;

/** That a name has nothing of a type (NOERROR), or, for type 0, that neither it nor any below it exists (NXDOMAIN). */
export interface Denial {
  readonly type: number;
  /** Lower case. */
  readonly top: Name;
  readonly zone: Zone;
  readonly owner: Owner;
}

/** What an answer of others is to. */
export interface OthersKind {
  readonly type: number;
  readonly dnssecOk: boolean;
  readonly checkingDisabled: boolean;
}

/** How long an answer is good for, in Unix milliseconds. */
export interface Life {
  readonly startMs: number;
  readonly endMs: number;
}

/** Puts answers where all threads find them: see `layout.ts`. */
export class PrebuiltWriter implements Keeper {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #now: () => number;
  readonly #zones: Zone[] = [];
  /** Owns what is good for its time. */
  readonly #forever: Owner = { isCurrent: true };
  readonly #freeOwners: number[] = [];
  #ownerCount = 0;
  #end = offsets.entries;
  #slots = 0;
  #second = 0;
  #denials = 0;

  /** `now` is Unix milliseconds; `size` bytes are for entries. */
  constructor(now: () => number = Date.now, size: number = clusterSize) {
    this.#now = now;
    this.memory = new SharedArrayBuffer(offsets.entries + size);
    this.#words = new Int32Array(this.memory);
    this.#bytes = new Uint8Array(this.memory);
  }

  /** The serial that denials are given with from now on. */
  set serial(value: number) {
    Atomics.store(this.#words, control.serial, value | 0);
  }

  /** The reply that is kept for a name (lower case) and type. */
  get(type: number, key: Name): Reply | undefined {
    const slot = this.#slotOf(type, key, slotHash(hashName(key), type));
    const entry = this.#words[slot + 1] ?? 0;
    const word = (index: number): number => this.#words[entry + index] ?? 0;
    if (!this.#isCurrent(entry) || (word(4) & entryFlags.denial) !== 0) return undefined;
    const at = ((entry + headWords) << 2) + (word(3) & 255);
    const count = word(6) >>> 16;
    return {
      rcode: word(4) >>> 8,
      authoritative: (word(4) & entryFlags.authoritative) !== 0,
      body: this.#bytes.slice(at, at + (word(3) >>> 8)),
      answers: word(5) & 0xffff,
      authorities: word(5) >>> 16,
      additionals: word(6) & 0xffff,
      rotation: count === 0 ? undefined : { start: word(7) & 0xffff, size: word(7) >>> 16, count },
    };
  }

  /** A reply to all questions for a name (lower case) and type; kept when it has an owner, until that is retired. */
  put(type: number, key: Name, reply: Reply): void {
    const { owner, body } = reply;
    const isFit = type !== 0 && reply.error === undefined && reply.rcode < 16 && body.length < 0x10000;
    if (owner === undefined || !isFit) return;
    const entry = this.#append(type, key, owner, body);
    if (entry === 0) return;
    this.#writeHead(entry, reply);
    this.#publish(type, key, entry);
  }

  /** The same of a reply of others that is good for a time, for at most an hour of it. Its TTLs are those of its start. */
  putFor(kind: OthersKind, key: Name, reply: Reply, { startMs, endMs }: Life): void {
    const { body, error, rcode } = reply;
    const seconds = Math.min(3600, Math.floor((endMs - startMs) / 1000));
    if (seconds <= 0 || error !== undefined || rcode >= 16 || body.length >= 0x10000) return;
    const ttls = ttlOffsets(body);
    const list = Uint8Array.from(ttls.flatMap((at) => [at >> 8, at & 255]));
    const type = othersType(kind.type, kind.dnssecOk, kind.checkingDisabled);
    const entry = this.#append(type, key, this.#forever, Buffer.concat([body, list]));
    if (entry === 0) return;
    this.#words[entry + 3] = key.length | (body.length << 8);
    this.#writeHead(entry, reply);
    this.#words[entry + 8] = Math.floor(startMs / 1000);
    this.#words[entry + 9] = seconds | ((startMs % 1000) << lifeBits);
    this.#publish(type, key, entry);
  }

  /** How often an answer that `putFor` has was given since the last time this was asked, or somewhat more. */
  takeGiven(kind: OthersKind, key: Name): number {
    const type = othersType(kind.type, kind.dnssecOk, kind.checkingDisabled);
    const at = (offsets.popularity >> 2) + (slotHash(hashName(key), type) & (popularityCounts - 1));
    return Atomics.exchange(this.#words, at, 0);
  }

  /** How many answers of others were given so far, with records and without; the numbers begin anew after 2^32. */
  givenSoFar(): readonly [success: number, denial: number] {
    const sum = (kind: number): number => {
      const counts = Array.from({ length: countLines }, (_, line) => Atomics.load(this.#words, countOf(line) + kind));
      return counts.reduce((total, count) => (total + count) | 0, 0);
    };
    return [sum(0), sum(1)];
  }

  #writeHead(entry: number, reply: Reply): void {
    const { rotation } = reply;
    this.#words[entry + 4] = (reply.authoritative ? entryFlags.authoritative : 0) | (reply.rcode << 8);
    this.#words[entry + 5] = reply.answers | (reply.authorities << 16);
    this.#words[entry + 6] = reply.additionals | ((rotation?.count ?? 0) << 16);
    this.#words[entry + 7] = (rotation?.start ?? 0) | ((rotation?.size ?? 0) << 16);
  }

  /** Denies; `reply` says it to a question for a name of `askedLength` bytes in the zone. */
  deny({ type, top, zone, owner }: Denial, askedLength: number, reply: Reply): void {
    const number = this.#zoneNumber(zone);
    if (number < 0) return;
    this.#keepBody(number, askedLength, reply.body);
    if (this.#isDenied(type, top) || !this.#mayDeny()) return;
    const entry = this.#append(type, top, owner, none);
    if (entry === 0) return;
    this.#words[entry + 4] = entryFlags.authoritative | entryFlags.denial | (reply.rcode << 8);
    this.#words[entry + 5] = number;
    this.#publish(type, top, entry);
  }

  /** No thread finds the answers of an owner any more. */
  forget(keptAs: number): void {
    Atomics.add(this.#words, (offsets.owners >> 2) + keptAs, 1);
    this.#freeOwners.push(keptAs);
  }

  #isDenied(type: number, top: Name): boolean {
    const slot = this.#slotOf(type, top, slotHash(hashName(top), type));
    return this.#isCurrent(this.#words[slot + 1] ?? 0);
  }

  #isCurrent(entry: number): boolean {
    const owner = (offsets.owners >> 2) + (this.#words[entry + 1] ?? 0);
    return entry !== 0 && this.#words[owner] === this.#words[entry + 2];
  }

  #mayDeny(): boolean {
    const second = Math.floor(this.#now() / 1000);
    if (second !== this.#second) this.#denials = 0;
    this.#second = second;
    this.#denials += 1;
    return this.#denials <= denialsASecond;
  }

  #zoneNumber(zone: Zone): number {
    const known = this.#zones.indexOf(zone);
    if (known >= 0 || this.#zones.length === maxZones) return known;
    return this.#zones.push(zone) - 1;
  }

  /** The SOA record of a zone behind names of a length stays the same but for its serial. */
  #keepBody(zone: number, nameLength: number, body: Uint8Array): void {
    const at = denialOffset(zone, nameLength);
    if (this.#words[at >> 2] !== 0 || body.length + 4 > denialSize) return;
    this.#bytes.set(body, at + 4);
    Atomics.store(this.#words, at >> 2, body.length);
  }

  /** Writes an entry but for its words 4 to 7; 0 when there is no room for its owner. */
  #append(type: number, key: Name, owner: Owner, body: Uint8Array): number {
    const number = this.#ownerNumber(owner);
    const size = headWords * 4 + key.length + body.length;
    if (number < 0 || size > 0x10000) return 0;
    if (this.#end + size > this.memory.byteLength || this.#slots >= mostSlots) this.#forgetAll();
    const entry = this.#end >> 2;
    this.#end += (size + 3) & ~3;
    this.#words.fill(0, entry, entry + headWords);
    this.#words[entry] = type;
    this.#words[entry + 1] = number;
    this.#words[entry + 2] = this.#words[(offsets.owners >> 2) + number] ?? 0;
    this.#words[entry + 3] = key.length | (body.length << 8);
    const at = (entry + headWords) << 2;
    for (let index = 0; index < key.length; index += 1) this.#bytes[at + index] = key.charCodeAt(index);
    this.#bytes.set(body, at + key.length);
    return entry;
  }

  /** Leads to an entry from its slot, in the place of the one that was there for this name and type. */
  #publish(type: number, key: Name, entry: number): void {
    const hash = slotHash(hashName(key), type);
    const slot = this.#slotOf(type, key, hash);
    if (this.#words[slot] === 0) this.#slots += 1;
    Atomics.store(this.#words, slot + 1, entry);
    Atomics.store(this.#words, slot, hash);
  }

  /** Word offset of the slot for a name and type: its own, or the empty one where it would be. */
  #slotOf(type: number, key: Name, hash: number): number {
    for (let slot = (hash >>> 1) & (slotCount - 1); ; slot = (slot + 1) & (slotCount - 1)) {
      const at = (offsets.slots >> 2) + slot * 2;
      const found = this.#words[at];
      if (found === 0 || (found === hash && this.#isAbout(this.#words[at + 1] ?? 0, type, key))) return at;
    }
  }

  #isAbout(entry: number, type: number, key: Name): boolean {
    if (this.#words[entry] !== type || ((this.#words[entry + 3] ?? 0) & 255) !== key.length) return false;
    const at = (entry + headWords) << 2;
    for (let index = 0; index < key.length; index += 1) {
      if (this.#bytes[at + index] !== key.charCodeAt(index)) return false;
    }
    return true;
  }

  /** A number for an owner until it is retired; -1 when there are too many, or it is retired. */
  #ownerNumber(owner: Owner): number {
    if (!owner.isCurrent) return -1;
    if (owner.keptAs !== undefined) return owner.keptAs;
    const number = this.#freeOwners.pop() ?? (this.#ownerCount < maxOwners ? this.#ownerCount++ : -1);
    if (number >= 0) keepFor(owner, this, number);
    return number;
  }

  #forgetAll(): void {
    Atomics.add(this.#words, control.epoch, 1);
    this.#words.fill(0, offsets.slots >> 2, offsets.entries >> 2);
    this.#end = offsets.entries;
    this.#slots = 0;
    Atomics.add(this.#words, control.epoch, 1);
  }
}

const none = new Uint8Array();

/** As the reader does it: from the last byte to the first. */
function hashName(key: Name): number {
  let hash = hashStart;
  for (let index = key.length - 1; index >= 0; index -= 1) hash = hashByte(hash, key.charCodeAt(index));
  return hash;
}
