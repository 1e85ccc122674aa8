import { badRequest } from '../errors.ts';

/**
 * The protobuf wire format: tags, varints and length-delimited values.
 *
 *     tag = field number << 3 | wire type      0 varint · 1 eight bytes · 2 length + bytes · 5 four bytes
 *
 * Source: https://protobuf.dev/programming-guides/encoding/
 */

/** How a value is laid out. */
export type WireType = 0 | 1 | 2 | 5;

const utf8 = new TextDecoder('utf-8', { fatal: false });

function truncated(): Error {
  return badRequest('unable to decode protobuf: unexpected end of data');
}

/** Reads one message. Every method moves the position; malformed input throws `ApiError` 400. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #position: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  get isDone(): boolean {
    return this.#position >= this.#end;
  }

  /** The next varint as an unsigned number; precise up to 2^53. */
  unsigned(): number {
    let low = 0;
    let factor = 1;
    for (let count = 0; count < 10; count++) {
      if (this.isDone) throw truncated();
      const byte = this.#bytes[this.#position++] ?? 0;
      low += (byte & 0x7f) * factor;
      if (byte < 0x80) return low;
      factor *= 128;
    }
    throw badRequest('unable to decode protobuf: integer overflow');
  }

  /** The next varint as a two's complement number of 64 bits. */
  signed(): number {
    const start = this.#position;
    const value = this.unsigned();
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    this.#position = start;
    return Number(BigInt.asIntN(64, this.#bigUnsigned()));
  }

  #bigUnsigned(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes[this.#position++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  double(): number {
    const start = this.#take(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + start, 8).getFloat64(0, true);
  }

  /** A length-delimited value, without copying. */
  bytes(): Uint8Array {
    const length = this.unsigned();
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  text(): string {
    return utf8.decode(this.bytes());
  }

  /** A length-delimited message. */
  message(): Reader {
    const length = this.unsigned();
    const start = this.#take(length);
    return new Reader(this.#bytes, start, start + length);
  }

  skip(wireType: number): void {
    if (wireType === 0) this.unsigned();
    else if (wireType === 1) this.#take(8);
    else if (wireType === 2) this.#take(this.unsigned());
    else if (wireType === 5) this.#take(4);
    else throw badRequest(`unable to decode protobuf: illegal wireType ${wireType}`);
  }

  #take(length: number): number {
    const start = this.#position;
    if (start + length > this.#end) throw truncated();
    this.#position = start + length;
    return start;
  }
}

/** Writes one message. */
export class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** What was written so far; valid until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  tag(number: number, wireType: WireType): void {
    this.unsigned(number * 8 + wireType);
  }

  /** A number from 0 to 2^53. */
  unsigned(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A number as two's complement of 64 bits. */
  signed(value: number): void {
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) this.unsigned(value);
    else this.#bigUnsigned(BigInt.asUintN(64, BigInt(value)));
  }

  #bigUnsigned(value: bigint): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80n) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  double(value: number): void {
    this.#reserve(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** Length and bytes. */
  bytes(value: Uint8Array): void {
    this.unsigned(value.length);
    this.raw(value);
  }

  text(value: string): void {
    this.bytes(Buffer.from(value));
  }

  /** Bytes without a length. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.written);
    this.#bytes = larger;
  }
}
