/**
 * Netlink messages (RFC 3549 2.3, linux/netlink.h), written and read.
 *
 * ```
 *  0       4     6      8      12     16
 *  +-------+-----+------+------+------+----------------+-- attributes ------------------+
 *  |length |type |flags |seq   |port  | family header  | len u16 | type u16 | data … pad |
 *  +-------+-----+------+------+------+----------------+--------------------------------+
 * ```
 * Headers are in host order (little-endian on every platform Fairlead runs on); attribute data as each family wants it.
 */

export const messageFlags = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  dump: 0x300,
  replace: 0x100,
  excl: 0x200,
  create: 0x400,
  append: 0x800,
} as const;

const nested = 0x8000;
const attributeTypeMask = 0x3fff;

/** Builds messages back to back in one growing buffer. */
export class MessageWriter {
  bytes: Buffer<ArrayBuffer>;
  length = 0;

  constructor(capacity = 4096) {
    this.bytes = Buffer.from(new ArrayBuffer(capacity));
  }

  /** Starts a message; returns its offset, which `end` takes. */
  begin(type: number, flags: number, sequence: number): number {
    const start = this.length;
    this.u32(0).u16(type).u16(flags).u32(sequence).u32(0);
    return start;
  }

  end(start: number): void {
    this.bytes.writeUInt32LE(this.length - start, start);
  }

  u8(value: number): this {
    this.reserve(1);
    this.bytes[this.length++] = value;
    return this;
  }

  u16(value: number): this {
    this.reserve(2);
    this.length = this.bytes.writeUInt16LE(value, this.length);
    return this;
  }

  u16be(value: number): this {
    this.reserve(2);
    this.length = this.bytes.writeUInt16BE(value, this.length);
    return this;
  }

  u32(value: number): this {
    this.reserve(4);
    this.length = this.bytes.writeUInt32LE(value >>> 0, this.length);
    return this;
  }

  /** Bytes as they are: attributes that were read before. */
  raw(bytes: Uint8Array): this {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  /** An attribute with raw bytes. */
  attribute(type: number, data: Uint8Array): this {
    const padded = (data.length + 3) & ~3;
    this.reserve(4 + padded);
    this.u16(4 + data.length).u16(type);
    this.bytes.fill(0, this.length + data.length, this.length + padded);
    this.bytes.set(data, this.length);
    this.length += padded;
    return this;
  }

  attributeU8(type: number, value: number): this {
    this.reserve(8);
    return this.u16(5)
      .u16(type)
      .u32(value & 0xff);
  }

  attributeU16(type: number, value: number): this {
    this.reserve(8);
    return this.u16(6)
      .u16(type)
      .u32(value & 0xffff);
  }

  attributeU32(type: number, value: number): this {
    this.reserve(8);
    return this.u16(8).u16(type).u32(value);
  }

  /** Big-endian, as nfnetlink wants its integers. */
  attributeU32be(type: number, value: number): this {
    this.reserve(8);
    this.u16(8).u16(type);
    this.length = this.bytes.writeUInt32BE(value >>> 0, this.length);
    return this;
  }

  attributeU64be(type: number, value: bigint): this {
    this.reserve(12);
    this.u16(12).u16(type);
    this.length = this.bytes.writeBigUInt64BE(value, this.length);
    return this;
  }

  /** A string with its terminating zero. */
  attributeString(type: number, value: string): this {
    return this.attribute(type, Buffer.from(`${value}\0`));
  }

  /** Starts an attribute that contains attributes; returns its offset, which `endNest` takes. */
  nest(type: number): number {
    const start = this.length;
    this.u16(0).u16(type | nested);
    return start;
  }

  /** Throws RangeError past 65,535 bytes, the longest an attribute can be: callers split before. */
  endNest(start: number): this {
    this.bytes.writeUInt16LE(this.length - start, start);
    return this;
  }

  /** Gives the memory back at once, which may be megabytes. Nothing can be read after. */
  release(): void {
    this.bytes = Buffer.from(this.bytes.buffer.transfer(0));
    this.length = 0;
  }

  /** What has been written. Valid until the next write. */
  written(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    this.bytes = Buffer.from(this.bytes.buffer.transfer(Math.max(this.bytes.length * 2, this.length + more)));
  }
}

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Everything after the 16 bytes of header. A view: copy what must outlive the next receive. */
  readonly payload: Buffer;
}

/** Splits one datagram into its messages. Stops at the first length that does not fit. */
export function* readMessages(datagram: Buffer): Generator<Message> {
  let at = 0;
  while (at + 16 <= datagram.length) {
    const length = datagram.readUInt32LE(at);
    if (length < 16 || at + length > datagram.length) return;
    yield {
      type: datagram.readUInt16LE(at + 4),
      flags: datagram.readUInt16LE(at + 6),
      sequence: datagram.readUInt32LE(at + 8),
      payload: datagram.subarray(at + 16, at + length),
    };
    at += (length + 3) & ~3;
  }
}

/** Calls `visit` for each attribute of `data` from `offset`, with the flag bits of the type taken off. */
export function eachAttribute(data: Buffer, offset: number, visit: (type: number, value: Buffer) => void): void {
  let at = offset;
  while (at + 4 <= data.length) {
    const length = data.readUInt16LE(at);
    if (length < 4 || at + length > data.length) return;
    visit(data.readUInt16LE(at + 2) & attributeTypeMask, data.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
}

/** The attributes by type; of a repeated type, the last. */
export function readAttributes(data: Buffer, offset = 0): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  eachAttribute(data, offset, (type, value) => attributes.set(type, value));
  return attributes;
}

/** A string attribute without its terminating zero; '' when absent. */
export function readString(value: Buffer | undefined): string {
  if (value === undefined) return '';
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}
