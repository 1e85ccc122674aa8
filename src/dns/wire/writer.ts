import type { Question, ResourceRecord } from './message.ts';
import { nameKey, parentOf } from './names.ts';
import type { Name } from './names.ts';
import { partsOfRdata } from './rdata.ts';

/** Offsets above this cannot be pointed to: a compression pointer has 14 bits. */
const farthestPointer = 0x3fff;

/**
 * Writes a message, compressing names against everything written before (RFC 1035 4.1.4). Comparing ignores case, so a
 * name that equals the question comes out as it was asked.
 */
export class Writer {
  #bytes = Buffer.allocUnsafe(512);
  #length = 0;
  readonly #offsets = new Map<Name, number>();

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** What is written, without a copy: valid until the next write. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Six words: id, flags and the four counts. */
  header(id: number, flags: number, counts: readonly [number, number, number, number]): void {
    for (const word of [id, flags, ...counts]) this.#uint16(word);
  }

  question({ name, type, class: of }: Question): void {
    this.name(name, true);
    this.#uint16(type);
    this.#uint16(of);
  }

  record({ name, type, class: of, ttl, rdata }: ResourceRecord): void {
    this.name(name, true);
    this.#uint16(type);
    this.#uint16(of);
    this.#uint16(ttl >>> 16);
    this.#uint16(ttl & 0xffff);
    const lengthAt = this.#length;
    this.#uint16(0);
    for (const part of partsOfRdata(type, rdata)) {
      if ('name' in part) this.name(part.name, part.compressible);
      else this.raw(part.bytes);
    }
    this.#bytes.writeUInt16BE(this.#length - lengthAt - 2, lengthAt);
  }

  /** A name, as far as possible as a pointer when `mayCompress`; remembered for later ones either way. */
  name(name: Name, mayCompress: boolean): void {
    let rest: Name = name;
    let parent = parentOf(rest);
    while (parent !== undefined) {
      const key = nameKey(rest);
      const offset = this.#offsets.get(key);
      if (offset !== undefined && mayCompress) {
        this.#uint16(0xc000 | offset);
        return;
      }
      if (offset === undefined && this.#length <= farthestPointer) this.#offsets.set(key, this.#length);
      this.#latin1(rest.slice(0, rest.length - parent.length));
      rest = parent;
      parent = parentOf(rest);
    }
    this.#latin1('\0');
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #latin1(text: string): void {
    this.#reserve(text.length);
    this.#bytes.write(text, this.#length, 'latin1');
    this.#length += text.length;
  }

  #uint16(value: number): void {
    this.#reserve(2);
    this.#bytes.writeUInt16BE(value, this.#length);
    this.#length += 2;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.bytes());
    this.#bytes = larger;
  }
}

/** The sections of a message to write. */
export interface MessageToWrite {
  readonly id: number;
  readonly flags: number;
  readonly questions: readonly Question[];
  readonly answers?: readonly ResourceRecord[];
  readonly authorities?: readonly ResourceRecord[];
  readonly additionals?: readonly ResourceRecord[];
  /** A whole OPT record (`writeEdns`), put last. */
  readonly opt?: Uint8Array;
}

/** A whole message as bytes. */
export function writeMessage(message: MessageToWrite): Buffer {
  const { questions, answers = [], authorities = [], additionals = [], opt } = message;
  const writer = new Writer();
  const extra = additionals.length + (opt === undefined ? 0 : 1);
  writer.header(message.id, message.flags, [questions.length, answers.length, authorities.length, extra]);
  for (const question of questions) writer.question(question);
  for (const record of [...answers, ...authorities, ...additionals]) writer.record(record);
  if (opt !== undefined) writer.raw(opt);
  return Buffer.from(writer.bytes());
}
