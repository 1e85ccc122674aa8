import { bigintToIp, formatIp, ipToBigint, parseIp } from './ip.ts';
import type { Family } from './ip.ts';

/** An address range in prefix form. Two equal ranges have equal `text`. */
export interface Cidr {
  readonly family: Family;
  /** The first address of the range: host bits are zero. */
  readonly base: Uint8Array;
  /** Prefix length in bits: 0-32 or 0-128. */
  readonly prefix: number;
  /** Canonical text: `10.96.0.0/16`. */
  readonly text: string;
}

/** A range with its host bits cleared; undefined when the text is none. `isStrictCidr` tells whether bits were set. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const digits = text.slice(slash + 1);
  if (slash < 0 || !/^(0|[1-9]\d{0,2})$/.test(digits)) return undefined;
  const address = parseIp(text.slice(0, slash));
  const prefix = Number(digits);
  if (address === undefined || prefix > address.length * 8) return undefined;
  const base = masked(address, prefix);
  return { family: base.length === 4 ? 'IPv4' : 'IPv6', base, prefix, text: `${formatIp(base)}/${prefix}` };
}

/** True when the text is a range with all host bits zero. */
export function isStrictCidr(text: string): boolean {
  const cidr = parseCidr(text);
  const address = parseIp(text.slice(0, text.indexOf('/')));
  return cidr !== undefined && address !== undefined && formatIp(address) === formatIp(cidr.base);
}

/** True when the address (text or bytes) is in the range; false for another family or no address. */
export function cidrContains(cidr: Cidr, address: string | Uint8Array): boolean {
  const bytes = typeof address === 'string' ? parseIp(address) : address;
  return bytes !== undefined && bytes.length === cidr.base.length && samePrefix(cidr.base, bytes, cidr.prefix);
}

/** True when every address of `inner` is in `outer`. */
export function cidrContainsCidr(outer: Cidr, inner: Cidr): boolean {
  return inner.prefix >= outer.prefix && cidrContains(outer, inner.base);
}

/** True when the ranges share an address. */
export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  return cidrContainsCidr(a, b) || cidrContainsCidr(b, a);
}

/** How many addresses the range has. */
export function cidrSize(cidr: Cidr): bigint {
  return 1n << BigInt(cidr.base.length * 8 - cidr.prefix);
}

/** Canonical text of the address at `index` (0 is the base). Throws RangeError outside the range. */
export function cidrAddress(cidr: Cidr, index: bigint | number): string {
  const offset = BigInt(index);
  if (offset < 0n || offset >= cidrSize(cidr)) throw new RangeError(`${cidr.text} has no address ${offset}`);
  return formatIp(bigintToIp(ipToBigint(cidr.base) + offset, cidr.family));
}

/** Position of an address in the range; undefined when it is not inside. Inverse of `cidrAddress`. */
export function cidrIndex(cidr: Cidr, address: string): bigint | undefined {
  const bytes = parseIp(address);
  if (bytes === undefined || !cidrContains(cidr, bytes)) return undefined;
  return ipToBigint(bytes) - ipToBigint(cidr.base);
}

/** Canonical text of the last address: the broadcast address of an IPv4 network. */
export function cidrLast(cidr: Cidr): string {
  return cidrAddress(cidr, cidrSize(cidr) - 1n);
}

/** Every address from `from` (an index, 0 by default), in order. Lazy: a /64 is fine. */
export function* cidrAddresses(cidr: Cidr, from: bigint | number = 0): Generator<string> {
  const first = ipToBigint(cidr.base);
  const end = first + cidrSize(cidr);
  for (let value = first + BigInt(from); value < end; value += 1n) yield formatIp(bigintToIp(value, cidr.family));
}

function masked(address: Uint8Array, prefix: number): Uint8Array {
  return address.map((byte, index) => byte & maskByte(prefix - index * 8));
}

function samePrefix(a: Uint8Array, b: Uint8Array, prefix: number): boolean {
  for (let i = 0; i * 8 < prefix; i += 1) {
    if ((((a[i] ?? 0) ^ (b[i] ?? 0)) & maskByte(prefix - i * 8)) !== 0) return false;
  }
  return true;
}

/** Mask for one byte when `bits` of the prefix reach into it or past it. */
function maskByte(bits: number): number {
  return bits >= 8 ? 255 : bits <= 0 ? 0 : (0xff00 >> bits) & 255;
}
