import type { Frontend, FrontendChanges, FrontendKey } from '../routing/frontend.ts';

/** The planes that users can choose. */
export const planeNames = ['nftables', 'ipvs', 'ebpf', 'userspace'] as const;
export type PlaneName = (typeof planeNames)[number];

/** The plane that was asked for cannot run on this machine; the message says why. */
export class PlaneUnavailableError extends Error {
  override readonly name = 'PlaneUnavailableError';
}

/** What a plane has counted for one frontend since the frontend came into force. */
export interface FrontendCounters {
  /** New connections (for UDP: flows). */
  readonly connections: number;
}

/** What a plane was asked for and could not do, for one frontend; every other frontend is in force. */
export interface RefusedFrontend {
  readonly key: string;
  readonly reason: string;
  /** It is in force everywhere else on the node; undefined when it is in force nowhere. */
  readonly only?: 'localhost';
}

/** A sentence for people. */
export function refusalText({ key, reason, only }: RefusedFrontend, nodeName: string): string {
  if (only === undefined) return `${key} is not in force on ${nodeName}: ${reason}`;
  return `${key} is in force on ${nodeName}, but not on ${only}: ${reason}`;
}

/** What `apply` did. */
export interface Applied {
  readonly refused: readonly RefusedFrontend[];
  /** Kernel objects written or removed (map elements, rules, listeners): the cost of the change, for metrics. */
  readonly operations: number;
  /** `adopt`: what was in force before and is no more, where the plane can tell. */
  readonly displaced?: readonly Frontend[];
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
  /** Node ports answer processes of this node on 127.0.0.1 and ::1 too (KEP-6032). */
  readonly nodePortLocalhost?: boolean;
  /** Every connection to a Service shows the node's address to its backend, whoever calls. */
  readonly masqueradeAll?: boolean;
  /**
   * Links behind which this node's Pods are: names, or prefixes that end in `*`. With any, what comes in through one of
   * them is a local Pod, and `podCidrs` and `clusterCidrs` do not decide on callers (kube-proxy's BridgeInterface and
   * InterfaceNamePrefix modes).
   */
  readonly podLinks?: readonly string[];
}

/** Why a retirement ends before its connections: the process does, or the plane comes into force again. */
export const retiresNoMore = Symbol('retires no more');

/**
 * A way of carrying out frontends on this node.
 *
 * - `adopt` is called once, first: it reads what an earlier process left, and makes the plane exactly `desired` by
 *   changing only the difference, so traffic never stops.
 * - `apply` is idempotent and all or nothing, and resolves when the kernel has acknowledged. Calls do not overlap.
 * - `close` leaves everything in force (a restart takes it over); `remove` takes away exactly what the plane made.
 * - `retire` makes room for another plane that has been adopted beside it: no new connection is taken, those that are go
 *   on until they end or `signal` aborts, and then it is as `remove`; aborted for the reason `retiresNoMore` it stops and
 *   leaves what is there to whoever takes it over or retires it again.
 */
export interface Dataplane {
  readonly name: PlaneName | 'fake';
  adopt(desired: readonly Frontend[]): Promise<Applied>;
  apply(changes: FrontendChanges): Promise<Applied>;
  /**
   * The frontends that are really in force, read back from the kernel: in the form they were given; those that this
   * process did not give, as the kernel tells them (it knows no Pods, and backends sorted by address).
   */
  dump(): Promise<readonly Frontend[]>;
  /** What it counted, by frontend; frontends that nobody called may be left out. */
  counters(): Promise<ReadonlyMap<FrontendKey, FrontendCounters>>;
  close(): Promise<void>;
  remove(): Promise<void>;
  retire(signal: AbortSignal): Promise<void>;
}
