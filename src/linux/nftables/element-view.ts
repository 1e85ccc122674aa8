import { readAttributes, readString } from '../netlink/message.ts';
import { readComment } from './userdata.ts';

const LIST = 3;
const ELEMENT = { KEY: 1, DATA: 2, FLAGS: 3, USERDATA: 6, EXPRESSION: 7, KEY_END: 10 } as const;
const intervalEndFlag = 1;
const typeMask = 0x3fff;
const dataValue = 1;
const verdictChain = 2;
const expressionData = 2;
const counterPackets = 2;
const nothing: Buffer = Buffer.alloc(0);

/**
 * One element as the kernel lists it, in place: nothing of it is copied before it is asked for, because a set may have
 * hundreds of thousands. Valid only inside the visit.
 *
 * ```
 * item  len type │ KEY len type │ VALUE len type │ bytes …│ DATA len type │ VALUE len type │ bytes … │ USERDATA … │
 * ```
 */
export class ElementView {
  /** What `keyAt` and `dataAt` are offsets in. */
  bytes: Buffer = nothing;
  keyAt = 0;
  keyLength = 0;
  dataAt = 0;
  /** 0 without data, and for a verdict. */
  dataLength = 0;
  #keyEndAt = 0;
  #verdictAt = 0;
  #commentAt = 0;
  #expressionAt = 0;
  #flags = 0;

  /** Points it at the item at `at`. */
  move(bytes: Buffer, at: number): void {
    this.bytes = bytes;
    this.dataLength = 0;
    this.#keyEndAt = 0;
    this.#verdictAt = 0;
    this.#commentAt = 0;
    this.#expressionAt = 0;
    this.#flags = 0;
    const end = at + word(bytes, at);
    for (let next = at + 4; next + 4 <= end; next += padded(word(bytes, next))) {
      this.#take(word(bytes, next + 2) & typeMask, next);
      if (word(bytes, next) < 4) return;
    }
  }

  /** The end marker of an interval in a set with a single key field. */
  get isIntervalEnd(): boolean {
    return (this.#flags & intervalEndFlag) !== 0;
  }

  /** A copy of the key: the first of an interval. */
  key(): Buffer {
    return Buffer.from(this.bytes.subarray(this.keyAt, this.keyAt + this.keyLength));
  }

  /** A copy of the last key of an interval of concatenations. */
  keyEnd(): Buffer | undefined {
    return this.#keyEndAt === 0 ? undefined : Buffer.from(inside(this.bytes, this.#keyEndAt).subarray(4));
  }

  /** A copy of the data; undefined without, and for a verdict. */
  data(): Buffer | undefined {
    if (this.dataLength === 0) return undefined;
    return Buffer.from(this.bytes.subarray(this.dataAt, this.dataAt + this.dataLength));
  }

  /** The chain that a verdict names. */
  chain(): string | undefined {
    if (this.#verdictAt === 0) return undefined;
    return readString(readAttributes(inside(this.bytes, this.#verdictAt)).get(verdictChain));
  }

  comment(): string | undefined {
    return this.#commentAt === 0 ? undefined : readComment(inside(this.bytes, this.#commentAt));
  }

  /** What its counter has counted; 0 without one. */
  packets(): bigint {
    if (this.#expressionAt === 0) return 0n;
    const counter = readAttributes(inside(this.bytes, this.#expressionAt)).get(expressionData) ?? nothing;
    return readAttributes(counter).get(counterPackets)?.readBigUInt64BE(0) ?? 0n;
  }

  #take(type: number, at: number): void {
    const nested = at + 4;
    if (type === ELEMENT.KEY) {
      this.keyAt = nested + 4;
      this.keyLength = word(this.bytes, nested) - 4;
    } else if (type === ELEMENT.DATA) this.#takeData(nested);
    else if (type === ELEMENT.KEY_END) this.#keyEndAt = at;
    else if (type === ELEMENT.USERDATA) this.#commentAt = at;
    else if (type === ELEMENT.EXPRESSION) this.#expressionAt = at;
    else if (type === ELEMENT.FLAGS) this.#flags = this.bytes.readUInt32BE(nested);
  }

  #takeData(nested: number): void {
    if ((word(this.bytes, nested + 2) & typeMask) !== dataValue) {
      this.#verdictAt = nested;
      return;
    }
    this.dataAt = nested + 4;
    this.dataLength = word(this.bytes, nested) - 4;
  }
}

/** Moves `view` over each element in a message about a set, and calls `visit`. */
export function eachListed(payload: Buffer, view: ElementView, visit: (element: ElementView) => void): void {
  for (let at = 4; at + 4 <= payload.length; at += padded(word(payload, at))) {
    const length = word(payload, at);
    if (length < 4 || at + length > payload.length) return;
    if ((word(payload, at + 2) & typeMask) !== LIST) continue;
    for (let item = at + 4; item + 4 <= at + length; item += padded(word(payload, item))) {
      if (word(payload, item) < 4) return;
      view.move(payload, item);
      visit(view);
    }
  }
}

/** What an attribute contains. */
function inside(bytes: Buffer, at: number): Buffer {
  return bytes.subarray(at + 4, at + word(bytes, at));
}

function word(bytes: Buffer, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
