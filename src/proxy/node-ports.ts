import { networkInterfaces } from 'node:os';
import { cidrContains, parseCidr } from '../lib/cidr.ts';
import type { NodeNetwork } from './dataplane.ts';

/** Ranges that no packet is ever sent to: the addresses of node ports that answer nowhere. */
export const nowhere: readonly string[] = ['255.255.255.255/32', '::/128'];

/** The machine's own addresses on which node ports answer now; undefined for every address. */
export function nodePortHosts({ nodePortAddresses, nodePortLocalhost }: NodeNetwork): readonly string[] | undefined {
  if (nodePortAddresses.length === 0) return undefined;
  const ranges = nodePortAddresses.map((text) => parseCidr(text.includes('/') ? text : hostRange(text)));
  const isAsked = (address: string) => ranges.some((range) => range !== undefined && cidrContains(range, address));
  return Object.values(networkInterfaces())
    .flatMap((link) => link ?? [])
    .filter(({ address, internal }) => (internal && nodePortLocalhost === true) || isAsked(address))
    .map(({ address, scopeid }) => (scopeid ? `${address}%${scopeid}` : address));
}

function hostRange(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}
