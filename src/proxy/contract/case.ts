import type { Service, ServicePort, ServiceSpec } from '../../api/core/service.ts';
import type { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { Protocol } from '../../routing/frontend.ts';
import type { NodeNetwork } from '../dataplane.ts';
import type { Feature } from '../limits.ts';
import {
  type Destination,
  type Family,
  type HostName,
  type NodeName,
  nodePort,
  type ServiceName,
  servicePort,
} from './world.ts';

/**
 * What every data plane must do with packets, as data: objects, calls, and what callers must see. The rules are those of
 * Kubernetes' Service API and of its end-to-end suite; no case says how a plane does it.
 */
export interface Case {
  readonly title: string;
  /** One after the other. */
  readonly steps: readonly Step[];
  /** Settings of the nodes that differ from the world's. */
  readonly network?: Partial<NodeNetwork>;
  /** `spec.externalIPs` are served. */
  readonly allowExternalIps?: boolean;
}

/**
 * Objects change, and then calls are made: those that look at shares one after the other, then all others at the same time.
 * Objects that are not named stay as they are.
 */
export interface Step {
  /** Services by name; `null` deletes one. */
  readonly services?: Readonly<Partial<Record<ServiceName, ServiceShape | null>>>;
  /**
   * Pods by the machine they are (a node's name: on the host's network), in words: the `app` label, then any of
   * `unready`, `terminating`, `failed`, `PORTNAME=8081` and `weight=3`. '' deletes one. The endpoint slices controller
   * makes endpoints of them.
   */
  readonly pods?: Readonly<Partial<Record<Exclude<HostName, 'outside'>, string>>>;
  /** Slices made by hand, by name; `null` deletes one. */
  readonly slices?: Readonly<Record<string, SliceShape | null>>;
  /** Zones of the nodes. */
  readonly zones?: Readonly<Partial<Record<NodeName, string>>>;
  /** Then so much time passes for whatever in routing depends on time, before calls are made. */
  readonly afterSeconds?: number;
  /** Made over and over from before the objects change until they are in force; every answer must be as expected. */
  readonly meanwhile?: readonly Connect[];
  readonly calls?: readonly Call[];
}

/** A Service as its author writes it; the world gives it addresses (`cluster.ts`). */
export interface ServiceShape {
  readonly spec: Partial<ServiceSpec>;
  readonly metadata?: Partial<Service['metadata']>;
  /** Of its load balancer addresses. */
  readonly ipMode?: 'VIP' | 'Proxy';
}

/** A slice of a Service, by hand: endpoints by machine. */
export interface SliceShape {
  readonly service: ServiceName;
  readonly family?: Family;
  readonly ports?: EndpointSlice['ports'];
  readonly endpoints: Readonly<Partial<Record<HostName, EndpointShape>>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface EndpointShape {
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
  readonly forZones?: readonly string[];
  readonly forNodes?: readonly string[];
}

export type Call = Connect | Again | Forget | AskHealth | SendStray;

/** Servers of which each answer must come (with ten calls or more: every one of them must be met), or what happens instead. */
export type Expectation = readonly string[] | 'refused' | 'timeout' | 'reset';

/** Connections (or datagrams) one after the other. */
export interface Connect {
  readonly from: HostName;
  readonly to: Destination;
  /** The Services' usual port unless given. */
  readonly port?: number;
  /** TCP unless given. */
  readonly protocol?: Protocol;
  readonly times?: number;
  /** Bytes of each request; a few unless given. */
  readonly size?: number;
  readonly expect: Expectation;
  /** All answers come from one server. */
  readonly isSticky?: boolean;
  /** Expected share of the answers, by server, to within 0.15. */
  readonly shares?: Readonly<Record<string, number>>;
  /** What servers see as the caller's address: its own, or another. */
  readonly source?: 'kept' | 'masqueraded';
  /** What that needs of a plane beyond what the call needs. */
  readonly sourceNeeds?: readonly Feature[];
  /** Leaves the last connection (or socket) open under this name. */
  readonly hold?: string;
  /** All answers come from the server of the call that was held under this name, if it is still among the expected. */
  readonly staysWith?: string;
  /** Only in these; unless given in all that the world has. */
  readonly families?: readonly Family[];
  /** What this call needs of a plane beyond what can be seen from it. */
  readonly needs?: readonly Feature[];
  /** What a plane that lacks it does; unless given the call is left out. */
  readonly instead?: Expectation;
}

/** Speaks on over a connection or socket that was left open. */
export interface Again {
  readonly from: HostName;
  readonly again: string;
  /** It may take a while: asked again and again until it is so. */
  readonly isEventual?: boolean;
  readonly expect: Expectation;
  readonly families?: readonly Family[];
  readonly needs?: readonly Feature[];
  readonly instead?: Expectation;
}

/**
 * Clients that stay with their server while they call, and have forgotten it after a pause: then at least one of them is
 * served by another. With 12 clients and three servers that is all but certain.
 */
export interface Forget {
  readonly forgotten: readonly Connect[];
  readonly afterMs: number;
}

/** Asks a health check node port over HTTP. */
export interface AskHealth {
  readonly from: HostName;
  readonly health: NodeName;
  readonly port: number;
  /** How many local endpoints it tells (none is status 503), or that nobody listens. */
  readonly expect: number | 'refused';
}

/** A server sends its last TCP peer segments that are out of the connection's window. */
export interface SendStray {
  readonly stray: Exclude<HostName, 'outside'>;
}

/** Calls that make it all but certain that each of three servers was drawn: (2/3)^40 < 1e-7. */
export const many = 40;

export function clusterIp(spec: Partial<ServiceSpec> = {}, metadata: ServiceShape['metadata'] = {}): ServiceShape {
  return { spec, metadata };
}

/** With the usual node port unless `spec` says otherwise. */
export function nodePortService(
  spec: Partial<ServiceSpec> = {},
  metadata: ServiceShape['metadata'] = {},
): ServiceShape {
  return { spec: { type: 'NodePort', ports: [tcp({ nodePort: nodePort })], ...spec }, metadata };
}

/** With addresses at both nodes, and the usual node port unless `spec` says otherwise. */
export function loadBalancer(spec: Partial<ServiceSpec> = {}, metadata: ServiceShape['metadata'] = {}): ServiceShape {
  return { spec: { type: 'LoadBalancer', ports: [tcp({ nodePort: nodePort })], ...spec }, metadata };
}

export function tcp(port: Partial<ServicePort> = {}): ServicePort {
  return { name: 'tcp', port: servicePort, protocol: 'TCP', targetPort: 8080, ...port };
}

export function udp(port: Partial<ServicePort> = {}): ServicePort {
  return tcp({ name: 'udp', protocol: 'UDP', ...port });
}

export function sctp(port: Partial<ServicePort> = {}): ServicePort {
  return tcp({ name: 'sctp', protocol: 'SCTP', ...port });
}

/** ClientIP affinity for an hour, or `timeoutSeconds`. */
export function affinity(timeoutSeconds = 3600): Partial<ServiceSpec> {
  return { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds } } };
}
