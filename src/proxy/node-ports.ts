import { networkInterfaces } from 'node:os';
import type { Node } from '../api/core/node.ts';
import { cidrContains, parseCidr } from '../lib/cidr.ts';
import { canonicalIp } from '../lib/ip.ts';
import type { NodeNetwork } from './dataplane.ts';

/** Ranges that no packet is ever sent to: the addresses of node ports that answer nowhere. */
export const nowhere: readonly string[] = ['255.255.255.255/32', '::/128'];

/**
 * The primary addresses of a node, one of each family: its first InternalIP, else its first ExternalIP (the addresses
 * that Pods of the host network have, KEP-2438).
 */
export function primaryAddresses(node: Node | undefined): readonly string[] {
  const all = node?.status?.addresses ?? [];
  const ordered = ['InternalIP', 'ExternalIP'].flatMap((type) => all.filter((each) => each.type === type));
  const found = ordered.map(({ address }) => canonicalIp(address ?? '')).filter((each) => each !== undefined);
  const ipv4 = found.find((address) => !address.includes(':'));
  const ipv6 = found.find((address) => address.includes(':'));
  return [ipv4, ipv6].filter((each) => each !== undefined);
}

/** The network with node ports on the node's primary addresses, beside those it names. Pure. */
export function withPrimaryAddresses(network: NodeNetwork, primary: readonly string[]): NodeNetwork {
  const addresses = [...network.nodePortAddresses, ...primary];
  return { ...network, nodePortAddresses: addresses.length === 0 ? nowhere : addresses };
}

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
