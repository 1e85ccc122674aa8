import type { NodeNetwork } from '../dataplane.ts';

/** The nodes of the contract; on each runs the plane under test. */
export const nodeNames = ['A', 'B'] as const;
export type NodeName = (typeof nodeNames)[number];

/** Pods, named by their node; every Pod and every node serves, and calls. */
export const podNames = ['a1', 'a2', 'b1', 'b2'] as const;
export type PodName = (typeof podNames)[number];

/** The machines of the contract; `outside` is a client that is no part of the cluster. */
export type HostName = NodeName | PodName | 'outside';

export type Family = 'IPv4' | 'IPv6';
export const families: readonly Family[] = ['IPv4', 'IPv6'];

/** Names that cases use for Services; each has its cluster addresses. */
export type ServiceName = 'web' | 'db' | 'cache';

/**
 * What a case may call: a Service (its cluster address), a machine, or
 * - `balancer-A`, `balancer-B`: load balancer addresses whose packets reach that node from outside;
 * - `external`: belongs to no machine, reaches node A from outside;
 * - `unallocated`: in the Service range, of no Service;
 * - `localhost`: the caller's own loopback address.
 */
export type Destination =
  | ServiceName
  | HostName
  | 'balancer-A'
  | 'balancer-B'
  | 'external'
  | 'unallocated'
  | 'localhost';

/** The addresses of a plane's world. */
export interface World {
  readonly families: readonly Family[];
  /** Without an entry in a family, nothing of it has an address there. */
  readonly addresses: Readonly<Record<Family, Readonly<Record<Destination, string>>>>;
  /** CIDR of the Pods of each node. */
  readonly network: Readonly<Record<NodeName, NodeNetwork>>;
}

/** Ports that every Pod and node serves: the usual one, another, and those of a range. */
export const rangePorts = [9000, 9001, 9002] as const;
export const otherTargetPort = 8081;

/** The port of Services unless a case says otherwise: one that every plane may have. */
export const servicePort = 8180;
/**
 * The node port of Services unless a case says otherwise: in the band that is never given out by itself. Test processes
 * that run at the same time may share a loopback.
 */
export const nodePort = 30_000 + 6 * (process.pid % 13);

export function isPod(host: string): host is PodName {
  return host === 'a1' || host === 'a2' || host === 'b1' || host === 'b2';
}

/** The node that a machine is on. */
export function nodeOf(host: HostName): NodeName | undefined {
  if (host === 'outside') return undefined;
  return host === 'A' || host.startsWith('a') ? 'A' : 'B';
}

/** The world of planes that route packets: two nodes, each with its Pods and a link to the outside. */
export const twoNodeWorld: World = {
  families,
  addresses: {
    IPv4: {
      A: '192.0.2.1',
      B: '192.0.2.2',
      a1: '10.244.0.11',
      a2: '10.244.0.12',
      b1: '10.244.1.11',
      b2: '10.244.1.12',
      outside: '192.0.2.100',
      web: '10.96.0.10',
      db: '10.96.0.11',
      cache: '10.96.0.12',
      'balancer-A': '203.0.113.10',
      'balancer-B': '203.0.113.138',
      external: '203.0.113.80',
      unallocated: '10.96.200.1',
      localhost: '127.0.0.1',
    },
    IPv6: {
      A: '2001:db8::1',
      B: '2001:db8::2',
      a1: 'fd00:244::11',
      a2: 'fd00:244::12',
      b1: 'fd00:244:1::11',
      b2: 'fd00:244:1::12',
      outside: '2001:db8::100',
      web: 'fd00:96::10',
      db: 'fd00:96::11',
      cache: 'fd00:96::12',
      'balancer-A': '2001:db8:80::10',
      'balancer-B': '2001:db8:81::10',
      external: '2001:db8:80::80',
      unallocated: 'fd00:96::ffff',
      localhost: '::1',
    },
  },
  network: {
    A: networkOf(['10.244.0.0/24', 'fd00:244::/64']),
    B: networkOf(['10.244.1.0/24', 'fd00:244:1::/64']),
  },
};

function networkOf(podCidrs: readonly string[]): NodeNetwork {
  return {
    podCidrs,
    clusterCidrs: ['10.244.0.0/16', 'fd00:244::/32'],
    serviceCidrs: ['10.96.0.0/16', 'fd00:96::/112'],
    nodePortAddresses: [],
  };
}
