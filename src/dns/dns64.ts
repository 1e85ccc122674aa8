import { parseCidr } from '../lib/cidr.ts';

/** Prefix lengths that RFC 6052 2.2 allows. */
const lengths = [32, 40, 48, 56, 64, 96];

/** Whether a prefix may hold IPv4 addresses. */
export function isTranslationPrefix(prefix: string): boolean {
  const cidr = parseCidr(prefix);
  return cidr?.family === 'IPv6' && lengths.includes(cidr.prefix);
}

/** The IPv6 address that stands for an IPv4 address: its bytes behind the prefix, with bits 64-71 left zero (RFC 6052 2.2). */
export function synthesize(prefix: string, ipv4: Uint8Array): Uint8Array {
  const cidr = parseCidr(prefix);
  if (cidr === undefined || !isTranslationPrefix(prefix)) throw new RangeError(`"${prefix}" is no translation prefix`);
  const address = new Uint8Array(16);
  address.set(cidr.base.subarray(0, cidr.prefix / 8));
  let at = cidr.prefix / 8;
  for (const byte of ipv4) {
    if (at === 8) at += 1;
    address[at] = byte;
    at += 1;
  }
  return address;
}
