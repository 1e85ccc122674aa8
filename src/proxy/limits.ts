import type { PlaneName } from './dataplane.ts';

/** What a Service, a node's settings or a caller may ask for that not every plane can do; each with what it is. */
export const features = {
  sctp: 'SCTP',
  'outside-callers': 'callers on other machines',
  'client-address': 'backends see the address of the client where Kubernetes keeps it',
  'hairpin-masquerade': 'a Pod that calls itself through a Service sees its node as the caller',
  'node-port-masquerade': "a Pod that calls a node port of its own node appears with the node's address",
  'connected-udp': 'a connected UDP socket goes on with another backend when its own goes',
  drop: 'what a traffic policy leaves without endpoints is ignored, not refused',
  'port-ranges': 'ranges of ports',
  'consistent-hashing': 'schedulers that keep a client with a backend by its address',
  'least-connections': 'schedulers that prefer the backend with the fewest connections',
  'affinity-timeout': "a client's server is forgotten when it has made no connection for the time-out",
  'masquerade-all': "every caller appears with a node's address",
  ipv6: 'IPv6',
} as const;

export type Feature = keyof typeof features;

/**
 * What each plane cannot do, and why: the one list, for users (`docs/reference/planes.md` shows it), for events and for
 * the contract suite, which asks for all of it from every plane and fails when a limit is not real.
 */
export const limits: Readonly<Record<PlaneName, Readonly<Partial<Record<Feature, string>>>>> = {
  nftables: {
    'least-connections': 'nftables does not count the connections of a backend; it draws at random',
  },
  ipvs: {
    'affinity-timeout':
      'the kernel also remembers a client while it tracks one of its connections, up to two minutes after their end',
  },
  ebpf: {
    'least-connections': 'connections are not counted once they are made; it draws at random',
    'hairpin-masquerade':
      'a Pod that calls itself through its Service is connected to itself, and sees its own address',
    'connected-udp': 'the socket ends with ECONNABORTED, so that its owner connects again',
    'node-port-masquerade': 'a Pod of this node is connected to the backend itself, which sees the address of the Pod',
  },
  userspace: {
    sctp: 'Node has no SCTP sockets',
    'outside-callers': 'it listens on loopback addresses',
    'client-address': 'backends see this machine, because connections are made anew',
    ipv6: 'loopback has one IPv6 address, ::1, and Services need many',
    drop: 'without a listener the system refuses; nothing can be ignored',
  },
};
