/**
 * IP addresses as text, bytes and numbers. Canonical text is dotted decimal without leading zeros (IPv4) and RFC 5952
 * (IPv6); everything else in Fairlead compares addresses as canonical text.
 */

export type Family = 'IPv4' | 'IPv6';

/**
 * Bytes of a textual address: 4 or 16 of them, in network order; undefined when the text is not an address. IPv4 takes
 * exactly four decimal parts without leading zeros (CVE-2021-29923); IPv6 takes RFC 4291 2.2 forms, without a zone.
 */
export function parseIp(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** Canonical text of 4 or 16 bytes. Throws RangeError on another length. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  if (bytes.length !== 16) throw new RangeError(`an address has 4 or 16 bytes, not ${bytes.length}`);
  return formatIpv6(bytes);
}

/** Canonical form of a textual address; undefined when it is not an address. IPv4-mapped IPv6 stays IPv6. */
export function canonicalIp(text: string): string | undefined {
  // Only canonical IPv4 text is accepted at all.
  if (!text.includes(':')) return readIpv4(text) < 0 ? undefined : text;
  const bytes = parseIpv6(text);
  return bytes && formatIpv6(bytes);
}

/** Family of a textual address; undefined when it is not an address. */
export function familyOf(text: string): Family | undefined {
  const bytes = parseIp(text);
  return bytes && (bytes.length === 4 ? 'IPv4' : 'IPv6');
}

/** True for `::ffff:0:0/96`, which Kubernetes refuses in Services and EndpointSlices (KEP-4858). */
export function isIpv4Mapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes[10] === 255 && bytes[11] === 255 && allZero(bytes, 0, 10);
}

/** The four bytes inside an IPv4-mapped address; any other address as it is. For peers of dual-stack sockets. */
export function unmapIp(bytes: Uint8Array): Uint8Array {
  return isIpv4Mapped(bytes) ? bytes.subarray(12) : bytes;
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(bytes: Uint8Array): boolean {
  return bytes.length === 4 ? bytes[0] === 127 : allZero(bytes, 0, 15) && bytes[15] === 1;
}

/** 0.0.0.0 and ::. */
export function isUnspecified(bytes: Uint8Array): boolean {
  return allZero(bytes, 0, bytes.length);
}

/** 169.254.0.0/16 and fe80::/10. */
export function isLinkLocal(bytes: Uint8Array): boolean {
  if (bytes.length === 4) return bytes[0] === 169 && bytes[1] === 254;
  return bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
}

/** 224.0.0.0/4 and ff00::/8. */
export function isMulticast(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0;
  return bytes.length === 4 ? first >= 224 && first < 240 : first === 0xff;
}

/** An IPv4 address as an unsigned 32-bit number. */
export function ipv4ToNumber(text: string): number | undefined {
  const value = readIpv4(text);
  return value < 0 ? undefined : value;
}

/** Inverse of `ipv4ToNumber`; takes the low 32 bits. */
export function numberToIpv4(value: number): string {
  return `${(value >>> 24) & 255}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** An address as one unsigned number of 32 or 128 bits. */
export function ipToBigint(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

/** Inverse of `ipToBigint`. */
export function bigintToIp(value: bigint, family: Family): Uint8Array {
  const bytes = new Uint8Array(family === 'IPv4' ? 4 : 16);
  for (let i = bytes.length - 1, rest = value; i >= 0; i -= 1, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

/**
 * The form Kubernetes DNS uses as a label: `10-0-0-1`, `fd00--1`; a label may not end in `-`, so `fd00::` becomes
 * `fd00--0`, and may not start with one, so `::1` becomes `0--1`. The argument is canonical text.
 */
export function dashedIp(text: string): string {
  const dashed = text.replaceAll('.', '-').replaceAll(':', '-');
  return `${dashed.startsWith('-') ? '0' : ''}${dashed}${dashed.endsWith('-') ? '0' : ''}`;
}

/** Bytes of a dashed address; undefined when the label is none. Three single dashes mean IPv4, else IPv6. */
export function parseDashedIp(label: string): Uint8Array | undefined {
  const isIpv4 = !label.includes('--') && label.split('-').length === 4;
  return isIpv4 ? parseIpv4(label.replaceAll('-', '.')) : parseIpv6(label.replaceAll('-', ':'));
}

function allZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i += 1) if (bytes[i] !== 0) return false;
  return true;
}

function parseIpv4(text: string): Uint8Array<ArrayBuffer> | undefined {
  const value = readIpv4(text);
  return value < 0 ? undefined : Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** The unsigned 32-bit value of canonical IPv4 text, -1 for other text. Allocates nothing: every endpoint comes by here. */
function readIpv4(text: string): number {
  let parts = 0;
  let digits = 0;
  let part = 0;
  let value = 0;
  for (let i = 0; i <= text.length; i += 1) {
    const code = i < text.length ? text.charCodeAt(i) : 46;
    if (code === 46) {
      if (digits === 0 || parts > 3) return -1;
      value = value * 256 + part;
      parts += 1;
      digits = part = 0;
    } else {
      if (code < 48 || code > 57 || (digits > 0 && part === 0)) return -1;
      part = part * 10 + code - 48;
      digits += 1;
      if (part > 255) return -1;
    }
  }
  return parts === 4 ? value : -1;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  if (head === undefined) return undefined;
  const bytes = new Uint8Array(16);
  if (halves.length === 1) {
    if (head.length !== 16) return undefined;
    bytes.set(head);
    return bytes;
  }
  const tail = parseGroups(halves[1] ?? '', true);
  // "::" stands for at least one group of zeros (RFC 4291 2.2).
  if (tail === undefined || head.length + tail.length > 14) return undefined;
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** Bytes of colon-separated groups; the last may be dotted decimal when `isEnd`. */
function parseGroups(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    if (isEnd && index === groups.length - 1 && group.includes('.')) {
      const dotted = parseIpv4(group);
      if (dotted === undefined) return undefined;
      bytes.push(...dotted);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    }
  }
  return bytes.length <= 16 ? bytes : undefined;
}

function formatIpv6(bytes: Uint8Array): string {
  if (isIpv4Mapped(bytes)) return `::ffff:${formatIp(bytes.subarray(12))}`;
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  const [start, end] = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (end - start < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(end).join(':')}`;
}

/** First longest run of zero groups, `[start, end)` (RFC 5952 4.2.3). */
function longestZeroRun(groups: readonly number[]): [number, number] {
  let best: [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start += 1) {
    let end = start;
    while (end < groups.length && groups[end] === 0) end += 1;
    if (end - start > best[1] - best[0]) best = [start, end];
    if (end > start) start = end;
  }
  return best;
}
