import { cidrContains, parseCidr } from '../../lib/cidr.ts';
import type { NodeNetwork } from '../../proxy/dataplane.ts';
import { nowhere } from '../../proxy/node-ports.ts';
import { readCidrs } from '../component/addresses.ts';

/** Where node ports answer. */
export interface NodePortPlaces extends Pick<NodeNetwork, 'nodePortAddresses' | 'nodePortLocalhost'> {
  readonly nodePortsOnPrimary: boolean;
}

/**
 * Reads the words of `--nodeport-addresses` (KEP-6032): `primary` (the Node object's addresses), `localhost` (127.0.0.1
 * and ::1), `all` (every address, loopback too) and ranges, in any combination. Without a word: every address but
 * loopback. Throws `UsageError`.
 */
export function readNodePortWords(texts: readonly string[]): NodePortPlaces {
  const words = texts.flatMap((text) => text.split(',')).map((word) => word.trim());
  const has = (word: string) => words.includes(word);
  const ranges = readCidrs(
    'nodeport-addresses',
    words.filter((word) => !['primary', 'localhost', 'all'].includes(word)),
  );
  const ordinary = ranges.filter((range) => !isLoopback(range));
  const isNarrowed = !has('all') && (has('localhost') || ranges.length > 0) && !has('primary');
  return {
    nodePortAddresses: has('all') ? [] : isNarrowed && ordinary.length === 0 ? nowhere : ordinary,
    nodePortLocalhost: has('all') || has('localhost') || ordinary.length < ranges.length,
    nodePortsOnPrimary: has('primary') && !has('all'),
  };
}

/** A part of the loopback addresses alone: `127.0.0.0/8`, `::1/128`. */
function isLoopback(range: string): boolean {
  const { base, prefix, family } = parseCidr(range) ?? {};
  if (base === undefined || prefix === undefined) return false;
  const whole = parseCidr(family === 'IPv4' ? '127.0.0.0/8' : '::1/128');
  return whole !== undefined && prefix >= whole.prefix && cidrContains(whole, base);
}
