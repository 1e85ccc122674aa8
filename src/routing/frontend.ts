import type { Scheduler } from './scheduler.ts';

/**
 * The decision that every plane carries out: for each address, port and protocol that clients can call, what happens to
 * a new connection. A rule about Services or endpoints exists once, in this folder; planes only translate frontends.
 */

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

/**
 * `10.96.0.1:80/TCP`, `[fd00::1]:80/TCP`; a node port has no address: `*:30080/TCP` (IPv4) or `[*]:30080/TCP` (IPv6). A
 * range of ports is named by its first.
 */
export type FrontendKey = string;

export type FrontendKind = 'ClusterIP' | 'NodePort' | 'ExternalIP' | 'LoadBalancer';

/** One endpoint that can get connections. */
export interface Backend {
  /** Canonical address text, of the frontend's family. */
  readonly address: string;
  /** Target port on the endpoint: 1-65535. */
  readonly port: number;
  /** Relative share of new connections: 1 unless something asks for another. 0 never gets a new connection. */
  readonly weight: number;
  /** On this node. */
  readonly local: boolean;
  /** `namespace/name` of the Pod behind it, when known; for people, never for decisions. */
  readonly pod?: string;
}

/**
 * What a new connection gets.
 * - `forward`: to one of the backends.
 * - `reject`: refused at once (TCP reset, ICMP port unreachable): the Service has no endpoint anywhere.
 * - `drop`: ignored: endpoints exist, but none on this node and the policy is Local.
 */
export type Verdict = 'forward' | 'reject' | 'drop';

/** A set of backends with its verdict: what one class of clients of a frontend gets. */
export interface Target {
  readonly verdict: Verdict;
  /** Without duplicates, sorted by address then port. Empty unless the verdict is `forward`. */
  readonly backends: readonly Backend[];
}

export interface Frontend {
  readonly key: FrontendKey;
  readonly kind: FrontendKind;
  /** `IPv4` or `IPv6`. */
  readonly family: 'IPv4' | 'IPv6';
  /** Canonical address text; undefined for a node port (every node-port address of this node). */
  readonly address: string | undefined;
  readonly port: number;
  readonly protocol: Protocol;
  /** `namespace/name` of the Service. */
  readonly service: string;
  /** Name of the Service's port; '' when unnamed. */
  readonly portName: string;
  /** ClientIP affinity and its idle time-out; undefined for none. */
  readonly affinity: { readonly timeoutSeconds: number } | undefined;
  /**
   * Last port of a range that begins at `port`; undefined for a single port. A connection to a range keeps the port that
   * was called, whatever `Backend.port` says (which is then `port`).
   */
  readonly lastPort: number | undefined;
  /** How a backend is chosen; undefined for the plane's own way. A plane that lacks it says so in `proxy/limits.ts`. */
  readonly scheduler: Scheduler | undefined;
  /**
   * How long after a backend went its TCP connections are reset (a drain time); undefined leaves them alone. UDP flows to
   * a backend that went are forgotten at once, always.
   */
  readonly resetAfterSeconds: number | undefined;
  /** CIDRs that may call it (LoadBalancer addresses only); undefined for everyone. */
  readonly sourceRanges: readonly string[] | undefined;
  /**
   * What clients inside the cluster get (Pods of this node and the node itself); for a ClusterIP, everyone.
   */
  readonly internal: Target;
  /**
   * What clients from outside get on an external frontend (NodePort, ExternalIP, LoadBalancer): the same as `internal`
   * under externalTrafficPolicy Cluster, only local backends under Local. Equal to `internal` for a ClusterIP.
   */
  readonly external: Target;
  /**
   * `always`: external traffic under externalTrafficPolicy Cluster. `off-cluster`: only sources outside the Pod range
   * (ClusterIP). `never`: externalTrafficPolicy Local keeps the client's address. Hairpin is masqueraded in any case.
   */
  readonly masquerade: 'always' | 'off-cluster' | 'never';
}

/** What one or more changes of objects did to the frontends. Frontends that stayed the same are in neither list. */
export interface FrontendChanges {
  /** New, or different from what they were. */
  readonly changed: readonly Frontend[];
  readonly removed: readonly FrontendKey[];
  /** When the oldest cause was written to the API, in Unix milliseconds; undefined when unknown. */
  readonly triggeredAtMs: number | undefined;
}

/** The key of a frontend; `address` is canonical text, undefined for a node port. */
export function frontendKey(
  family: 'IPv4' | 'IPv6',
  address: string | undefined,
  port: number,
  protocol: Protocol,
): FrontendKey {
  const host = address ?? '*';
  return family === 'IPv6' ? `[${host}]:${port}/${protocol}` : `${host}:${port}/${protocol}`;
}
