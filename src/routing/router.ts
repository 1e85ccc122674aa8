import { Claims } from './claims.ts';
import { decide } from './decide.ts';
import type { Frontend, FrontendChanges, FrontendKey } from './frontend.ts';
import type { Circumstances } from './frontends-of.ts';
import type { HealthCheck } from './health-check.ts';
import { KnownObjects } from './known-objects.ts';
import type { ObjectChange, ServiceState } from './known-objects.ts';
import type { Notice } from './notice.ts';
import { Round } from './round.ts';
import type { RoundEnd } from './round.ts';
import type { SettingDefaults } from './settings.ts';
import { triggerTimeOf } from './trigger-time.ts';

export type { ObjectChange } from './known-objects.ts';

/** What changes did to frontends, to health check node ports, and what there is to tell about Services. */
export interface RouterChanges extends FrontendChanges {
  /** New health checks and those whose count or port changed. */
  readonly healthChecks: readonly HealthCheck[];
  /** `namespace/name` of Services that have no health check any more. */
  readonly healthChecksRemoved: readonly string[];
  /** What is new to tell; what stood before is not repeated. */
  readonly notices: readonly Notice[];
}

export interface RouterConfig {
  /** The node this router decides for: what is local, and whose hints count. */
  readonly nodeName: string;
  /** Its zone, until a `node` change tells another. */
  readonly zone?: string;
  /** Serve `spec.externalIPs`. Off by default: they let who may write a Service take over any address (CVE-2020-8554). */
  readonly allowExternalIps?: boolean;
  /**
   * Loopback addresses are as good as others: where Pods or Services have them, on a machine without privileges. Off by
   * default.
   */
  readonly allowLoopback?: boolean;
  /** For Services without annotations of their own. */
  readonly defaults?: SettingDefaults;
  /** The clock of slow starts, in Unix milliseconds; without it there are none. */
  readonly now?: () => number;
}

/**
 * The incremental decision: objects in, changed frontends out. Pure: the state after any sequence of changes depends
 * only on the objects that are left, never on the order in which they came (but for slow starts, until they are over). A
 * change costs in proportion to the one Service that it concerns, whatever their number.
 */
export interface Router {
  /** Takes one or more changes as one: every frontend concerned is reported once, as it is at the end. */
  apply(...changes: readonly ObjectChange[]): RouterChanges;
  /** Takes changes that the next `apply` decides on: at a start each Service is decided once, when all of it is known. */
  learn(...changes: readonly ObjectChange[]): void;
  /**
   * Applies what time alone has changed. The first call says that the state is complete: backends that come after it
   * start slowly where their Service asks for it.
   */
  tick(): RouterChanges;
  /** When to call `tick` next, in Unix milliseconds; undefined when nothing waits. May change with every change. */
  nextTickAtMs(): number | undefined;
  get(key: FrontendKey): Frontend | undefined;
  /** Every frontend in force. */
  frontends(): Iterable<Frontend>;
  /** Every health check in force. */
  healthChecks(): Iterable<HealthCheck>;
  /** Everything that there is to tell now. */
  notices(): Iterable<Notice>;
}

/** A router without objects: it has no frontends yet. */
export function createRouter(config: RouterConfig): Router {
  const claims = new Claims<ServiceState>();
  const { nodeName, zone, allowExternalIps = false, allowLoopback = false, defaults = {}, now } = config;
  const objects = new KnownObjects({ nodeName, zone, addresses: [] }, allowLoopback);
  /** Services whose shares grow by themselves. */
  const growing = new Set<ServiceState>();
  let isRunning = false;
  /** Services to decide on. */
  const learnt = new Set<ServiceState>();

  const learn = (changes: readonly ObjectChange[]): void => {
    for (const change of changes) objects.take(change, learnt);
  };

  const settle = (states: Iterable<ServiceState>): RoundEnd => {
    const clock = now && { nowMs: now(), isRunning };
    const circumstances: Circumstances = { place: objects.place, allowExternalIps, allowLoopback, defaults, clock };
    const round = new Round();
    for (const state of states) {
      const decision = decide(state, circumstances);
      const createdAt = String(state.service?.metadata.creationTimestamp ?? '');
      claims.replace(state, { createdAt, frontends: decision.frontends }, round);
      round.settle(state, decision);
      if (state.growth?.nextAtMs === undefined) growing.delete(state);
      else growing.add(state);
      objects.tidy(state);
    }
    return round.end((key) => claims.get(key));
  };

  return {
    apply(...changes) {
      learn(changes);
      const concerned = [...learnt];
      learnt.clear();
      return { ...settle(concerned), triggeredAtMs: triggerTimeOf(changes) };
    },
    learn: (...changes) => learn(changes),
    tick() {
      isRunning = true;
      const nowMs = now?.() ?? 0;
      const due = [...growing].filter(({ growth }) => (growth?.nextAtMs ?? Number.POSITIVE_INFINITY) <= nowMs);
      return { ...settle(due), triggeredAtMs: undefined };
    },
    nextTickAtMs() {
      const times = [...growing].flatMap(({ growth }) => growth?.nextAtMs ?? []);
      return times.length > 0 ? Math.min(...times) : undefined;
    },
    get: (key) => claims.get(key),
    frontends: () => claims.values(),
    *healthChecks() {
      for (const state of objects.states()) if (state.healthCheck !== undefined) yield state.healthCheck;
    },
    *notices() {
      for (const state of objects.states()) yield* state.notices;
    },
  };
}
