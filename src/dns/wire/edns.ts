import { typeNumbers } from './types.ts';

/**
 * EDNS (RFC 6891): the OPT pseudo record.
 *
 * ```
 * 00        name: root
 * 00 29     type: OPT
 * 04 d0     class: UDP payload size of the sender
 * xx        upper 8 bits of the response code
 * 00        version
 * 80 00     DO bit, then bits that must be zero
 * 00 0c     length of the options: code, length, data each
 * ```
 */
export interface Edns {
  /** Largest UDP message the sender takes, as it said it. */
  readonly udpSize: number;
  readonly version: number;
  /** Upper bits of the response code. */
  readonly extendedRcode: number;
  /** The sender wants DNSSEC records (RFC 3225). */
  readonly dnssecOk: boolean;
  readonly options: readonly EdnsOption[];
}

export interface EdnsOption {
  readonly code: number;
  readonly data: Uint8Array;
}

/** An extended DNS error (RFC 8914). */
export interface ExtendedError {
  readonly code: number;
  readonly text: string;
}

/** Options that are answered (IANA "DNS EDNS0 Option Codes"). All others are left out, as RFC 6891 6.1.2 wants. */
export const optionCodes = { nsid: 3, cookie: 10, keepalive: 11, padding: 12 } as const;

/** Largest UDP message this server sends or takes: no fragments anywhere (DNS flag day 2020, RFC 9715). */
export const ownUdpSize = 1232;

const extendedErrorOption = 15;
/** Bytes of an extended error's text: it must never be what does not fit. */
const longestText = 160;

/** Meaning of an OPT record's class, TTL and RDATA; undefined when an option runs over the end. */
export function readEdns(udpSize: number, ttl: number, rdata: Uint8Array): Edns | undefined {
  const options: EdnsOption[] = [];
  const view = new DataView(rdata.buffer, rdata.byteOffset, rdata.length);
  let at = 0;
  while (at < rdata.length) {
    if (at + 4 > rdata.length) return undefined;
    const end = at + 4 + view.getUint16(at + 2);
    if (end > rdata.length) return undefined;
    options.push({ code: view.getUint16(at), data: rdata.subarray(at + 4, end) });
    at = end;
  }
  return {
    udpSize,
    version: (ttl >>> 16) & 0xff,
    extendedRcode: ttl >>> 24,
    dnssecOk: (ttl & 0x8000) !== 0,
    options,
  };
}

const noOptions = new Uint8Array();

/** An OPT record of this server: its own size, version 0, unknown bits zero; `options` are in wire form. */
export function writeEdns(
  rcode: number,
  dnssecOk: boolean,
  error?: ExtendedError,
  options: Uint8Array = noOptions,
): Uint8Array {
  const text = Buffer.from(error?.text ?? '', 'utf8').subarray(0, longestText);
  const length = options.length + (error === undefined ? 0 : 6 + text.length);
  const bytes = Buffer.alloc(11 + length);
  bytes.writeUInt16BE(typeNumbers.OPT, 1);
  bytes.writeUInt16BE(ownUdpSize, 3);
  bytes[5] = rcode >> 4;
  bytes[7] = dnssecOk ? 0x80 : 0;
  bytes.writeUInt16BE(length, 9);
  bytes.set(options, 11);
  if (error !== undefined) {
    const at = 11 + options.length;
    bytes.writeUInt16BE(extendedErrorOption, at);
    bytes.writeUInt16BE(2 + text.length, at + 2);
    bytes.writeUInt16BE(error.code, at + 4);
    bytes.set(text, at + 6);
  }
  return bytes;
}

/** The extended errors among options. */
export function extendedErrorsOf(options: readonly EdnsOption[]): ExtendedError[] {
  return options
    .filter(({ code, data }) => code === extendedErrorOption && data.length >= 2)
    .map(({ data }) => ({
      code: ((data[0] ?? 0) << 8) | (data[1] ?? 0),
      text: Buffer.from(data.subarray(2)).toString('utf8'),
    }));
}
