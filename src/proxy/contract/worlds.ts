import type { NodeNetwork } from '../dataplane.ts';
import type { World } from './frontends.ts';

/** The worlds of planes that route packets, and the node's network in both. */
export const ipv4: World = {
  family: 'IPv4',
  pods: { pod1: '10.244.0.11', pod2: '10.244.0.12', pod3: '10.244.1.13' },
  services: ['10.96.0.10', '10.96.0.11', '10.96.0.12'],
  unallocated: '10.96.200.1',
  external: '203.0.113.80',
  node: '192.0.2.1',
  sources: { outside: '192.0.2.100', client: '10.244.0.20' },
};

export const ipv6: World = {
  family: 'IPv6',
  pods: { pod1: 'fd00:244::11', pod2: 'fd00:244::12', pod3: 'fd00:244:1::13' },
  services: ['fd00:96::10', 'fd00:96::11', 'fd00:96::12'],
  unallocated: 'fd00:96::ffff',
  external: '2001:db8:80::80',
  node: '2001:db8::1',
  sources: { outside: '2001:db8::100', client: 'fd00:244::20' },
};

export const network: NodeNetwork = {
  podCidrs: ['10.244.0.0/24', 'fd00:244::/64'],
  clusterCidrs: ['10.244.0.0/16', 'fd00:244::/32'],
  serviceCidrs: ['10.96.0.0/16', 'fd00:96::/112'],
  nodePortAddresses: [],
};
