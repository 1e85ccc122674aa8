import { createHmac, timingSafeEqual } from 'node:crypto';
import type { TsigKey } from '../settings/settings.ts';
import { nameKey, parseKey, parseName, readName } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { typeNumbers } from '../wire/types.ts';

/**
 * Transaction signatures (RFC 8945): a record at the end of a message with an HMAC over all before it.
 *
 * ```
 * key name · TSIG · class ANY · TTL 0 · RDLENGTH
 * algorithm name · time signed 6 · fudge 2 · MAC size 2 · MAC · original id 2 · error 2 · other length 2 · other
 * ```
 */
export interface Tsig {
  readonly keyName: Name;
  readonly algorithm: Name;
  /** Unix seconds. */
  readonly signedAt: number;
  readonly fudgeSeconds: number;
  readonly mac: Buffer;
  readonly originalId: number;
  readonly error: number;
  readonly other: Buffer;
  /** Where the record begins in its message. */
  readonly start: number;
}

/** Error codes of TSIG (RFC 8945 3). */
export const tsigErrors = { BADSIG: 16, BADKEY: 17, BADTIME: 18 } as const;

const classAny = 255;
const fudgeSeconds = 300;
/** An MAC shorter than this, or than half of the whole, is not accepted (RFC 8945 5.2.2.1). */
const shortestMac = 10;

/** The TSIG record that ends a message; undefined without one, `malformed` for one that cannot be read or is not last. */
export function readTsig(packet: Buffer): Tsig | undefined | 'malformed' {
  const starts = recordStarts(packet);
  if (starts === undefined) return undefined;
  const at = starts.findIndex(({ type }) => type === typeNumbers.TSIG);
  const found = starts[at];
  if (found === undefined) return undefined;
  return at === starts.length - 1 ? (parse(packet, found.start) ?? 'malformed') : 'malformed';
}

function parse(packet: Buffer, start: number): Tsig | undefined {
  const owner = readName(packet, start);
  if (owner === undefined) return undefined;
  const rdata = owner.end + 10;
  const algorithm = readName(packet, rdata);
  if (algorithm === undefined || algorithm.end + 16 > packet.length) return undefined;
  let at = algorithm.end;
  const signedAt = packet.readUIntBE(at, 6);
  const fudge = packet.readUInt16BE(at + 6);
  const macSize = packet.readUInt16BE(at + 8);
  at += 10 + macSize;
  if (at + 6 > packet.length) return undefined;
  const otherSize = packet.readUInt16BE(at + 4);
  if (at + 6 + otherSize > packet.length) return undefined;
  return {
    keyName: nameKey(owner.name),
    algorithm: nameKey(algorithm.name),
    signedAt,
    fudgeSeconds: fudge,
    mac: packet.subarray(at - macSize, at),
    originalId: packet.readUInt16BE(at),
    error: packet.readUInt16BE(at + 2),
    other: packet.subarray(at + 6, at + 6 + otherSize),
    start,
  };
}

interface RecordStart {
  readonly start: number;
  readonly type: number;
}

/** Where each record of a message begins; undefined when it is malformed. */
function recordStarts(packet: Buffer): RecordStart[] | undefined {
  if (packet.length < 12) return undefined;
  let at = 12;
  for (let count = packet.readUInt16BE(4); count > 0; count -= 1) {
    const name = readName(packet, at);
    if (name === undefined) return undefined;
    at = name.end + 4;
  }
  const starts: RecordStart[] = [];
  const records = packet.readUInt16BE(6) + packet.readUInt16BE(8) + packet.readUInt16BE(10);
  for (let count = records; count > 0; count -= 1) {
    const name = readName(packet, at);
    if (name === undefined || name.end + 10 > packet.length) return undefined;
    starts.push({ start: at, type: packet.readUInt16BE(name.end) });
    at = name.end + 10 + packet.readUInt16BE(name.end + 8);
  }
  return at <= packet.length ? starts : undefined;
}

/** 0 when a message was signed with one of the keys, just now; else the error of `tsigErrors`. `key` is the one it named. */
export function verify(
  packet: Buffer,
  tsig: Tsig,
  keys: readonly TsigKey[],
  nowSeconds: number,
): { readonly error: number; readonly key: TsigKey | undefined } {
  const key = keys.find((each) => keyNameOf(each) === tsig.keyName && algorithmName(each) === tsig.algorithm);
  if (key === undefined) return { error: tsigErrors.BADKEY, key };
  const signed = Buffer.from(packet.subarray(0, tsig.start));
  signed.writeUInt16BE(tsig.originalId, 0);
  signed.writeUInt16BE(packet.readUInt16BE(10) - 1, 10);
  const expected = hmac(key, [signed, variables(key, tsig)]);
  const isLong = tsig.mac.length >= Math.max(shortestMac, expected.length / 2) && tsig.mac.length <= expected.length;
  if (!isLong || !timingSafeEqual(expected.subarray(0, tsig.mac.length), tsig.mac)) {
    return { error: tsigErrors.BADSIG, key };
  }
  const isNow = Math.abs(nowSeconds - tsig.signedAt) <= tsig.fudgeSeconds;
  return { error: isNow ? 0 : tsigErrors.BADTIME, key };
}

/** Signs the messages of one answer, one after the other. */
export class Signer {
  readonly #key: TsigKey;
  #previous: Buffer | undefined;
  #isFirst = true;

  /** `requestMac`: of the question's TSIG; undefined for who signs a question. */
  constructor(key: TsigKey, requestMac?: Buffer) {
    this.#key = key;
    this.#previous = requestMac && Buffer.from(requestMac);
  }

  /** The message with its TSIG record; `now` is what a wrong time is answered with. */
  sign(message: Buffer, signedAt: number, { error = 0, now = signedAt } = {}): Buffer {
    const tsig = { signedAt, fudgeSeconds, error, other: otherOf(error, now) };
    const last = this.#isFirst ? variables(this.#key, tsig) : timersOf(tsig);
    const before = this.#previous === undefined ? [] : [sized(this.#previous)];
    const mac = hmac(this.#key, [...before, message, last]);
    this.#isFirst = false;
    this.#previous = mac;
    return withRecord(message, this.#key, tsig, mac);
  }
}

/** The message with an unsigned TSIG record that says why the question's was not accepted (RFC 8945 5.2). */
export function unsigned(message: Buffer, { keyName, algorithm }: Tsig, error: number, nowSeconds: number): Buffer {
  const tsig = { signedAt: nowSeconds, fudgeSeconds, error, other: Buffer.alloc(0) };
  return appended(message, recordOf(keyName, algorithm, tsig, Buffer.alloc(0), message.readUInt16BE(0)));
}

type Signed = Pick<Tsig, 'signedAt' | 'fudgeSeconds' | 'error' | 'other'>;

/** A wrong time is answered with ours (RFC 8945 5.2.3). */
function otherOf(error: number, nowSeconds: number): Buffer {
  if (error !== tsigErrors.BADTIME) return Buffer.alloc(0);
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(nowSeconds, 0, 6);
  return bytes;
}

function keyNameOf(key: TsigKey): Name {
  return parseKey(key.name) ?? '\0';
}

function algorithmName({ algorithm }: TsigKey): Name {
  return parseName(algorithm) ?? '\0';
}

function hmac(key: TsigKey, parts: readonly Buffer[]): Buffer {
  const hash = createHmac(key.algorithm.slice('hmac-'.length), Buffer.from(key.secret, 'base64'));
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function sized(bytes: Buffer): Buffer {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

function timersOf({ signedAt, fudgeSeconds: fudge }: Signed): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUIntBE(signedAt, 0, 6);
  bytes.writeUInt16BE(fudge, 6);
  return bytes;
}

/** RFC 8945 4.3.3. */
function variables(key: TsigKey, tsig: Signed): Buffer {
  const head = Buffer.from([0, classAny, 0, 0, 0, 0]);
  const error = Buffer.alloc(2);
  error.writeUInt16BE(tsig.error);
  return Buffer.concat([
    Buffer.from(keyNameOf(key), 'latin1'),
    head,
    Buffer.from(algorithmName(key), 'latin1'),
    timersOf(tsig),
    error,
    sized(tsig.other),
  ]);
}

function withRecord(message: Buffer, key: TsigKey, tsig: Signed, mac: Buffer): Buffer {
  return appended(message, recordOf(keyNameOf(key), algorithmName(key), tsig, mac, message.readUInt16BE(0)));
}

function recordOf(keyName: Name, algorithm: Name, tsig: Signed, mac: Buffer, id: number): Buffer {
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(id, 0);
  tail.writeUInt16BE(tsig.error, 2);
  const rdata = Buffer.concat([Buffer.from(algorithm, 'latin1'), timersOf(tsig), sized(mac), tail, sized(tsig.other)]);
  const head = Buffer.alloc(8);
  head.writeUInt16BE(typeNumbers.TSIG, 0);
  head.writeUInt16BE(classAny, 2);
  return Buffer.concat([Buffer.from(keyName, 'latin1'), head, sized(rdata)]);
}

function appended(message: Buffer, record: Buffer): Buffer {
  const bytes = Buffer.concat([message, record]);
  bytes.writeUInt16BE(message.readUInt16BE(10) + 1, 10);
  return bytes;
}
