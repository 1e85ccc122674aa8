import { cidrContainsCidr, parseCidr } from '../../lib/cidr.ts';
import { familyOf } from '../../lib/ip.ts';
import type { SetElement } from '../../linux/nftables/sets.ts';
import type { NodeNetwork } from '../dataplane.ts';
import { cidrKeys } from './keys.ts';
import type { FamilyLayout, NetworkSet } from './schema.ts';

/** The elements of the sets that describe the node, of one family. Pure. */
export function networkElements(
  layout: FamilyLayout,
  network: NodeNetwork,
): Readonly<Record<NetworkSet, SetElement[]>> {
  const everything = layout.family === 'ip' ? ['0.0.0.0/0'] : ['::/0'];
  const own = (ranges: readonly string[]) => ranges.map(asCidr).filter((range) => isFamily(layout, range));
  const cluster = own(network.clusterCidrs);
  return {
    'pod-cidrs': intervals(own(network.podCidrs)),
    // Without knowing which addresses are Pods, nothing is off the cluster.
    'cluster-cidrs': intervals(cluster.length === 0 ? everything : cluster),
    'service-cidrs': intervals(own(network.serviceCidrs)),
    'node-port-addresses': intervals(
      network.nodePortAddresses.length === 0 ? everything : own(network.nodePortAddresses),
    ),
  };
}

/** Whether any of the node's ranges is of the family. */
export function hasFamily(layout: FamilyLayout, network: NodeNetwork): boolean {
  const ranges = [...network.podCidrs, ...network.clusterCidrs, ...network.serviceCidrs, ...network.nodePortAddresses];
  return ranges.some((range) => isFamily(layout, asCidr(range)));
}

function asCidr(text: string): string {
  if (text.includes('/')) return text;
  return `${text}/${familyOf(text) === 'IPv6' ? 128 : 32}`;
}

function isFamily(layout: FamilyLayout, range: string): boolean {
  return parseCidr(range)?.family === (layout.family === 'ip' ? 'IPv4' : 'IPv6');
}

/** Intervals of a set may not overlap, so a range inside another is left out. */
function intervals(ranges: readonly string[]): SetElement[] {
  const cidrs = [...new Set(ranges)].map(parseCidr).filter((cidr) => cidr !== undefined);
  return cidrs
    .filter((cidr) => !cidrs.some((other) => other.text !== cidr.text && cidrContainsCidr(other, cidr)))
    .map((cidr) => cidrKeys(cidr.text));
}
