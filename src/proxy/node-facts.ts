import type { Node } from '../api/core/node.ts';
import { cidrContainsCidr, parseCidr } from '../lib/cidr.ts';
import { canonicalIp } from '../lib/ip.ts';
import type { NodeNetwork } from './dataplane.ts';
import { nowhere } from './node-ports.ts';

/** What the Node object tells about the node's network. */
export interface NodeFacts {
  /**
   * The primary addresses, one of each family: its first InternalIP, else its first ExternalIP (the addresses that Pods
   * of the host network have, KEP-2438).
   */
  readonly primary: readonly string[];
  /** `spec.podCIDRs`. */
  readonly podCidrs: readonly string[];
}

/** Which facts count, whatever they are at the time. */
export interface NodeSourced {
  /** Node ports answer on the primary addresses, and on those that the network names. */
  readonly nodePortsOnPrimary?: boolean;
  /** The node's Pod ranges are those of `podCIDRs`: `local`; and no other range is the cluster's: `alone` (NodeCIDR). */
  readonly podCidrs?: 'local' | 'alone';
}

export const noFacts: NodeFacts = { primary: [], podCidrs: [] };

export function factsOf({ status, spec }: Node): NodeFacts {
  const all = status?.addresses ?? [];
  const ordered = ['InternalIP', 'ExternalIP'].flatMap((type) => all.filter((each) => each.type === type));
  const found = ordered.map(({ address }) => canonicalIp(address ?? '')).filter((each) => each !== undefined);
  const ipv4 = found.find((address) => !address.includes(':'));
  const ipv6 = found.find((address) => address.includes(':'));
  const ranges = (spec?.podCIDRs ?? [spec?.podCIDR ?? '']).map((text) => parseCidr(text)?.text);
  return {
    primary: [ipv4, ipv6].filter((each) => each !== undefined),
    podCidrs: ranges.filter((each) => each !== undefined),
  };
}

/** The network with what the Node object adds to it. Pure. */
export function networkOf(network: NodeNetwork, sourced: NodeSourced, facts: NodeFacts): NodeNetwork {
  const { nodePortsOnPrimary, podCidrs } = sourced;
  const nodePorts = [...network.nodePortAddresses, ...facts.primary];
  return {
    ...network,
    ...(podCidrs === undefined ? {} : { podCidrs: facts.podCidrs }),
    ...(podCidrs === 'alone' ? { clusterCidrs: facts.podCidrs } : {}),
    ...(nodePortsOnPrimary === true ? { nodePortAddresses: nodePorts.length === 0 ? nowhere : nodePorts } : {}),
  };
}

/** Whether Services or Pods have loopback addresses here: on a machine without privileges, which may use all of them. */
export function livesOnLoopback({ podCidrs, clusterCidrs, serviceCidrs }: NodeNetwork): boolean {
  return [...podCidrs, ...clusterCidrs, ...serviceCidrs].some(isOnLoopback);
}

const loopback = parseCidr('127.0.0.0/8');

/** Whether every address of a range is one that can be bound as it is. */
export function isOnLoopback(range: string): boolean {
  const parsed = parseCidr(range);
  return loopback !== undefined && parsed !== undefined && cidrContainsCidr(loopback, parsed);
}
