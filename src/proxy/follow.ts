import { Node } from '../api/core/node.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import type { Change } from '../client/caches.ts';
import { objectKey, serviceKeyOfSlice } from '../routing/labels.ts';
import type { ObjectChange, Router, RouterChanges } from '../routing/router.ts';
import { triggerTimeOf } from '../routing/trigger-time.ts';
import { servicesOf, slicesOf } from './caches.ts';
import { typeChecked } from './check-objects.ts';
import type { ProxyConfig } from './config.ts';
import { noCause } from './programmer.ts';
import type { Cause } from './programmer.ts';
import { Ticker } from './ticker.ts';

/** Who hears of what the API server tells. */
export interface Follower {
  /** Something has come from the API, and not everything yet. */
  heard(): void;
  /** Changes of frontends and health checks, from the moment all objects are known. */
  decided(changes: RouterChanges, cause: Cause): void;
  /** Everything is known; the router has all of it. */
  complete(): void;
  /** This Node; undefined when it is gone. */
  sawNode(node: Node | undefined): void;
  /** An object that cannot be used, and the Service it belongs to (`namespace/name`). */
  malformed(service: string | undefined, problem: string): void;
}

/** Feeds the caches through the router, from the moment all of them are complete, until disposed of. */
export function follow(
  config: ProxyConfig,
  router: Router,
  follower: Follower,
): Disposable & { readonly synced: Promise<void> } {
  const { now = Date.now } = config;
  const startedMs = now();
  const services = servicesOf(config);
  const slices = slicesOf(config);
  const nodes = config.caches.of(Node, { fieldSelector: `metadata.name=${config.nodeName}` });
  const ticker = new Ticker(router, now, (decided) => follower.decided(decided, noCause));
  let isComplete = false;
  const take = (changes: readonly ObjectChange[], cause: Omit<Cause, 'triggeredAtMs'>): void => {
    if (!isComplete) {
      router.learn(...changes);
      return follower.heard();
    }
    follower.decided(router.apply(...changes), { ...cause, triggeredAtMs: triggerTimes(changes, startedMs) });
    ticker.plan();
  };
  const subscriptions = [
    services.subscribe((changes) => {
      const toChange = ({ old, current }: Change<Service>): ObjectChange => {
        return { type: 'service', old, new: fit(Service, current, objectKey, follower) };
      };
      take(changes.map(toChange), { serviceChanges: changes.length, endpointChanges: 0 });
    }),
    slices.subscribe((changes) => {
      const toChange = ({ old, current }: Change<EndpointSlice>): ObjectChange => {
        return { type: 'slice', old, new: fit(EndpointSlice, current, serviceKeyOfSlice, follower) };
      };
      take(changes.map(toChange), { serviceChanges: 0, endpointChanges: changes.length });
    }),
    nodes.subscribe((changes) => {
      const toChange = ({ old, current }: Change<Node>): ObjectChange => ({ type: 'node', old, new: current });
      take(changes.map(toChange), { serviceChanges: 0, endpointChanges: 0 });
      for (const { current } of changes) follower.sawNode(current);
    }),
  ];
  const synced = Promise.all([services.synced, slices.synced, nodes.synced]).then(() => {
    isComplete = true;
    router.apply();
    follower.complete();
    ticker.tick();
  });
  return {
    synced,
    [Symbol.dispose]: () => {
      ticker[Symbol.dispose]();
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
    },
  };
}

function fit<T extends ApiObject>(
  kind: Kind<T>,
  object: T | undefined,
  serviceOf: (object: T) => string | undefined,
  follower: Follower,
): T | undefined {
  const checked = object && typeChecked(kind, object);
  if (typeof checked !== 'string') return checked;
  if (object !== undefined) follower.malformed(serviceOf(object), checked);
  return undefined;
}

/** Each change that tells its own time; what happened before this proxy started says nothing about it. */
function triggerTimes(changes: readonly ObjectChange[], startedMs: number): readonly number[] {
  return changes
    .map((change) => triggerTimeOf([change]))
    .filter((time) => time !== undefined)
    .filter((time) => time >= startedMs);
}
