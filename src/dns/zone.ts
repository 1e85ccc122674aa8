import { cidrAddress, cidrSize, parseCidr } from '../lib/cidr.ts';
import type { Cidr } from '../lib/cidr.ts';
import { formatIp, parseIp } from '../lib/ip.ts';
import { labelsOf, nameFromLabels, parseKey } from './wire/names.ts';
import type { Name } from './wire/names.ts';

/** A part of the name space that this server answers for, whatever is asked. */
export interface Zone {
  /** Lower case. */
  readonly name: Name;
  readonly isReverse: boolean;
}

/**
 * The cluster zone first, then those of cluster sets, and the reverse zones of its ranges. Throws RangeError for a malformed
 * domain or range.
 */
export function zonesOf(
  clusterDomain: string,
  cidrs: readonly string[],
  multicluster: readonly string[],
): readonly [Zone, ...Zone[]] {
  const reverse = new Set(cidrs.flatMap(reverseZonesOf));
  return [
    forwardZone(clusterDomain),
    ...multicluster.map(forwardZone),
    ...[...reverse].map((zone) => ({ name: zone, isReverse: true })),
  ];
}

/** Throws RangeError for a malformed domain. */
export function forwardZone(domain: string): Zone {
  const name = parseKey(domain);
  if (name === undefined || name === '\0') throw new RangeError(`"${domain}" is no cluster domain`);
  return { name, isReverse: false };
}

/** Names of the reverse zones that cover a range exactly: several when it does not end at a label. */
function reverseZonesOf(text: string): Name[] {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new RangeError(`"${text}" is no range of addresses`);
  const step = cidr.family === 'IPv4' ? 8 : 4;
  const bits = Math.ceil(cidr.prefix / step) * step;
  const labels = bits / step;
  return wholeParts(cidr, bits).map((base) => {
    const all = labelsOf(reverseName(base));
    return nameFromLabels(all.slice(all.length - 2 - labels)) ?? '\0';
  });
}

/** First addresses of the sub-ranges of `bits` bits. */
function wholeParts(cidr: Cidr, bits: number): string[] {
  const count = 1 << (bits - cidr.prefix);
  const size = cidrSize(cidr) / BigInt(count);
  return Array.from({ length: count }, (_, index) => cidrAddress(cidr, BigInt(index) * size));
}

/** `1.0.96.10.in-addr.arpa` or 32 nibbles below `ip6.arpa` (RFC 1035 3.5, RFC 3596 2.5). Canonical address text in. */
export function reverseName(address: string): Name {
  const bytes = parseIp(address) ?? new Uint8Array(4);
  const labels = bytes.length === 4 ? Array.from(bytes, String) : [...Buffer.from(bytes).toString('hex')];
  const suffix = bytes.length === 4 ? ['in-addr', 'arpa'] : ['ip6', 'arpa'];
  return nameFromLabels([...labels.toReversed(), ...suffix]) ?? '\0';
}

/**
 * What the labels of a name below `in-addr.arpa` or `ip6.arpa` stand for: an address as canonical text, `part` of one
 * (fewer labels), or undefined when it is neither.
 */
export function parseReverse(labels: readonly string[]): string | 'part' | undefined {
  const top = labels.slice(-2).join('.');
  const parts = labels.slice(0, -2).toReversed();
  if (top === 'in-addr.arpa') return parseReverseIpv4(parts);
  if (top === 'ip6.arpa') return parseReverseIpv6(parts);
  return undefined;
}

function parseReverseIpv4(octets: readonly string[]): string | 'part' | undefined {
  if (octets.length > 4) return undefined;
  const padded = [...octets, '0', '0', '0', '0'].slice(0, 4).join('.');
  if (parseIp(padded) === undefined) return undefined;
  return octets.length === 4 ? padded : 'part';
}

function parseReverseIpv6(nibbles: readonly string[]): string | 'part' | undefined {
  if (nibbles.length > 32 || nibbles.some((nibble) => !/^[0-9a-f]$/.test(nibble))) return undefined;
  return nibbles.length === 32 ? formatIp(Buffer.from(nibbles.join(''), 'hex')) : 'part';
}
