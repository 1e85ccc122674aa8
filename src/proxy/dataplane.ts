import type { Frontend, FrontendChanges } from '../routing/frontend.ts';

/** What a plane was asked for and could not do, for one frontend; every other frontend is in force. */
export interface RefusedFrontend {
  readonly key: string;
  readonly reason: string;
}

/** What `apply` did. */
export interface Applied {
  readonly refused: readonly RefusedFrontend[];
  /** Kernel objects written or removed (map elements, rules, listeners): the cost of the change, for metrics. */
  readonly operations: number;
}

/** What a plane needs to know about the node it works for. */
export interface NodeNetwork {
  /** CIDRs of Pods on this node: a source inside them is a local Pod. */
  readonly podCidrs: readonly string[];
  /** CIDRs of all Pods of the cluster; sources outside are masqueraded to cluster addresses. */
  readonly clusterCidrs: readonly string[];
  /** CIDRs of Services: an address inside without a Service is refused or dropped, never routed out. */
  readonly serviceCidrs: readonly string[];
  /** Addresses on which node ports answer. Empty: every address of the node but loopback. */
  readonly nodePortAddresses: readonly string[];
}

/**
 * A way of carrying out frontends on this node.
 *
 * - `adopt` is called once, first: it reads what an earlier process left, and makes the plane exactly `desired` by
 *   changing only the difference, so traffic never stops.
 * - `apply` is idempotent and all or nothing, and resolves when the kernel has acknowledged. Calls do not overlap.
 * - `close` leaves everything in force (a restart takes it over); `remove` takes away exactly what the plane made.
 */
export interface Dataplane {
  readonly name: 'nftables' | 'ipvs' | 'ebpf' | 'userspace' | 'fake';
  adopt(desired: readonly Frontend[]): Promise<Applied>;
  apply(changes: FrontendChanges): Promise<Applied>;
  /**
   * The frontends that are really in force, read back from the kernel: in the form they were given; those that this
   * process did not give, as the kernel tells them (it knows no Pods, and backends sorted by address).
   */
  dump(): Promise<readonly Frontend[]>;
  close(): Promise<void>;
  remove(): Promise<void>;
}
