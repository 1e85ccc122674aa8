import type { PlaneName } from './dataplane.ts';

/** What `routing/` may ask of a plane that not every plane can do. */
export type Feature =
  | 'sctp'
  | 'outside-callers'
  | 'client-address'
  | 'hairpin-masquerade'
  | 'node-port-masquerade'
  | 'drop'
  | 'port-ranges'
  | 'consistent-hashing'
  | 'least-connections';

/**
 * What each plane cannot do, and why: the one list, for users (`proxy/README.md` shows it), for events and for the
 * contract suite, which runs every case that needs none of a plane's limits and fails when a limit is not real.
 */
export const limits: Readonly<Record<PlaneName, Readonly<Partial<Record<Feature, string>>>>> = {
  nftables: { 'least-connections': 'nftables does not count the connections of a backend; it draws at random' },
  ipvs: {},
  ebpf: {
    'least-connections': 'connections are not counted once they are made; it draws at random',
    'hairpin-masquerade':
      'a Pod that calls itself through its Service is connected to itself, and sees its own address',
    'node-port-masquerade': 'a Pod of this node is connected to the backend itself, which sees the address of the Pod',
  },
  userspace: {
    sctp: 'Node has no SCTP sockets',
    'outside-callers': 'it listens on loopback addresses',
    'client-address': 'backends see this machine, because connections are made anew',
    drop: 'without a listener the system refuses; nothing can be ignored',
  },
};
