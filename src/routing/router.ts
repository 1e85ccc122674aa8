import type { Node } from '../api/core/node.ts';
import type { Service } from '../api/core/service.ts';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { Claims } from './claims.ts';
import type { Frontend, FrontendChanges, FrontendKey } from './frontend.ts';
import { frontendsOf } from './frontends-of.ts';
import { healthCheckOf } from './health-check.ts';
import type { HealthCheck } from './health-check.ts';
import { objectKey, serviceKeyOfSlice } from './labels.ts';
import { readSlice } from './slice.ts';
import type { ReadSlice } from './slice.ts';
import type { NodePlace } from './topology.ts';
import { triggerTimeOf } from './trigger-time.ts';

/** One change of one object: `old` undefined when it was created, `new` undefined when it was deleted. */
export type ObjectChange =
  | { readonly type: 'service'; readonly old?: Service; readonly new?: Service }
  | { readonly type: 'slice'; readonly old?: EndpointSlice; readonly new?: EndpointSlice }
  | { readonly type: 'node'; readonly old?: Node; readonly new?: Node };

/** What changes did to frontends and to health check node ports. */
export interface RouterChanges extends FrontendChanges {
  /** New health checks and those whose count or port changed. */
  readonly healthChecks: readonly HealthCheck[];
  /** `namespace/name` of Services that have no health check any more. */
  readonly healthChecksRemoved: readonly string[];
}

export interface RouterConfig {
  /** The node this router decides for: what is local, and whose hints count. */
  readonly nodeName: string;
  /** Its zone, until a `node` change tells another. */
  readonly zone?: string;
}

/**
 * The incremental decision: objects in, changed frontends out. Pure: the state after any sequence of changes depends
 * only on the objects that are left, never on the order in which they came. A change costs in proportion to the one
 * Service that it concerns, whatever their number.
 */
export interface Router {
  /** Takes one or more changes as one: every frontend concerned is reported once, as it is at the end. */
  apply(...changes: readonly ObjectChange[]): RouterChanges;
  get(key: FrontendKey): Frontend | undefined;
  /** Every frontend in force. */
  frontends(): Iterable<Frontend>;
  /** Every health check in force. */
  healthChecks(): Iterable<HealthCheck>;
}

/** What the router keeps about one Service; slices may come before it and stay behind it. */
interface ServiceState {
  service: Service | undefined;
  readonly slices: Map<string, ReadSlice>;
  /** Keys of the frontends it asks for. */
  keys: ReadonlySet<FrontendKey>;
  healthCheck: HealthCheck | undefined;
}

/** What one `apply` collects. */
interface Round {
  readonly changed: Map<FrontendKey, Frontend>;
  readonly removed: Set<FrontendKey>;
  readonly healthChecks: HealthCheck[];
  readonly healthChecksRemoved: string[];
}

/** A router without objects: it has no frontends yet. */
export function createRouter(config: RouterConfig): Router {
  const states = new Map<string, ServiceState>();
  const owners = new Map<string, string>();
  const claims = new Claims();
  let place: NodePlace = { nodeName: config.nodeName, zone: config.zone };

  return {
    apply(...changes) {
      const concerned = new Set<string>();
      for (const change of changes) {
        if (change.type === 'service') noteService(states, concerned, change.old, change.new);
        else if (change.type === 'slice') noteSlice(states, owners, concerned, change.new ?? change.old, change.new);
        else place = noteNode(states, concerned, place, change.new);
      }
      const round: Round = { changed: new Map(), removed: new Set(), healthChecks: [], healthChecksRemoved: [] };
      for (const key of concerned) decide(states, claims, place, key, round);
      return {
        changed: [...round.changed.values()],
        removed: [...round.removed],
        triggeredAtMs: triggerTimeOf(changes),
        healthChecks: round.healthChecks,
        healthChecksRemoved: round.healthChecksRemoved,
      };
    },
    get: (key) => claims.get(key),
    frontends: () => claims.values(),
    *healthChecks() {
      for (const state of states.values()) if (state.healthCheck !== undefined) yield state.healthCheck;
    },
  };
}

function noteService(
  states: Map<string, ServiceState>,
  concerned: Set<string>,
  old: Service | undefined,
  now: Service | undefined,
): void {
  const object = now ?? old;
  if (object === undefined) return;
  const key = objectKey(object);
  stateOf(states, key).service = now;
  concerned.add(key);
}

/** A slice may move from one Service to another by its label: `owners` remembers where each one was. */
function noteSlice(
  states: Map<string, ServiceState>,
  owners: Map<string, string>,
  concerned: Set<string>,
  object: EndpointSlice | undefined,
  now: EndpointSlice | undefined,
): void {
  if (object === undefined) return;
  const sliceKey = objectKey(object);
  const before = owners.get(sliceKey);
  if (before !== undefined) {
    states.get(before)?.slices.delete(sliceKey);
    owners.delete(sliceKey);
    concerned.add(before);
  }
  const after = now && serviceKeyOfSlice(now);
  const read = now && readSlice(now);
  if (after === undefined || read === undefined) return;
  stateOf(states, after).slices.set(sliceKey, read);
  owners.set(sliceKey, after);
  concerned.add(after);
}

/** Only the zone of the own node matters; when it changes, every hint means something else. */
function noteNode(
  states: Map<string, ServiceState>,
  concerned: Set<string>,
  place: NodePlace,
  now: Node | undefined,
): NodePlace {
  if (now?.metadata.name !== place.nodeName) return place;
  const zone = now.metadata.labels?.['topology.kubernetes.io/zone'];
  if (zone === place.zone) return place;
  for (const key of states.keys()) concerned.add(key);
  return { nodeName: place.nodeName, zone };
}

function stateOf(states: Map<string, ServiceState>, key: string): ServiceState {
  let state = states.get(key);
  if (state === undefined) {
    state = { service: undefined, slices: new Map(), keys: new Set(), healthCheck: undefined };
    states.set(key, state);
  }
  return state;
}

/** Decides one Service anew and reports the differences. */
function decide(states: Map<string, ServiceState>, claims: Claims, place: NodePlace, key: string, round: Round): void {
  const state = states.get(key);
  if (state === undefined) return;
  const { service } = state;
  const frontends = service ? frontendsOf(service, [...state.slices.values()], place) : new Map<string, Frontend>();
  for (const old of state.keys) if (!frontends.has(old)) report(round, claims, old, claims.put(old, key, undefined));
  const createdAt = String(service?.metadata.creationTimestamp ?? '');
  for (const frontend of frontends.values()) {
    report(round, claims, frontend.key, claims.put(frontend.key, key, { frontend, createdAt }));
  }
  state.keys = new Set(frontends.keys());
  decideHealthCheck(state, key, place, round);
  if (service === undefined && state.slices.size === 0) states.delete(key);
}

function decideHealthCheck(state: ServiceState, key: string, place: NodePlace, round: Round): void {
  const before = state.healthCheck;
  const now = state.service && healthCheckOf(state.service, state.slices.values(), place.nodeName);
  state.healthCheck = now;
  if (now === undefined) {
    if (before !== undefined) round.healthChecksRemoved.push(key);
  } else if (before?.port !== now.port || before.localEndpoints !== now.localEndpoints) {
    round.healthChecks.push(now);
  }
}

/** A key may change hands between two Services of the same round: only its end counts. */
function report(round: Round, claims: Claims, key: FrontendKey, outcome: 'same' | 'changed' | 'removed'): void {
  if (outcome === 'same') return;
  const now = claims.get(key);
  if (now === undefined) {
    round.changed.delete(key);
    round.removed.add(key);
  } else {
    round.removed.delete(key);
    round.changed.set(key, now);
  }
}
