import { isDeepStrictEqual } from 'node:util';
import type { Pod } from '../api/core/pod.ts';
import type { Service } from '../api/core/service.ts';
import { podWeightAnnotation } from '../api/fairlead-annotations.ts';
import { keyOf, namespaceOf } from '../api/meta/object-meta.ts';
import type { Cache, Change } from '../client/caches.ts';
import { isManaged, podTriggerTimeMs } from './service-endpoints.ts';

/** The time of the oldest cause of a Service's next pass. */
export interface TriggerTimes {
  note(key: string, timeMs: number): void;
  /** The oldest noted time, which is then forgotten. */
  take(key: string): number | undefined;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export function triggerTimes(now: () => number): TriggerTimes {
  const oldest = new Map<string, number>();
  return {
    now,
    note: (key, timeMs) => void oldest.set(key, Math.min(oldest.get(key) ?? Number.POSITIVE_INFINITY, timeMs)),
    take(key) {
      const timeMs = oldest.get(key);
      oldest.delete(key);
      return timeMs;
    },
  };
}

/** Pods by the name of their Node. */
export function podsByNode(pods: Cache<Pod>): (node: string) => readonly Pod[] {
  return pods.index('node', ({ spec }) => (spec.nodeName ? [spec.nodeName] : []));
}

export interface SelectedPodsOptions {
  readonly services: Cache<Service>;
  readonly pods: Cache<Pod>;
  readonly triggers: TriggerTimes;
  /** Called with the key of every Service that has to be looked at. */
  readonly add: (key: string) => void;
}

export interface SelectedPods extends Disposable {
  /** The Pods that the Service selects. */
  podsOf(service: Service): readonly Pod[];
  /** Adds every Service that selects the Pod. */
  addServicesOf(pod: Pod): void;
}

/**
 * Tells which Services a change of a Service or a Pod concerns. Services are found by one pair of their selector, Pods by
 * one of their labels, so a change costs the same with ten Services as with ten thousand.
 */
export function watchSelectedPods({ services, pods, triggers, add }: SelectedPodsOptions): SelectedPods {
  const servicesByPair = services.index('selector-pair', (service) => {
    const pair = rarestPair(service);
    return pair === undefined ? [] : [`${namespaceOf(service)}/${pair}`];
  });
  const podsByPair = pods.index('label-pair', (pod) =>
    Object.entries(pod.metadata.labels ?? {}).map(([name, value]) => `${namespaceOf(pod)}/${name}=${value}`),
  );

  function servicesOf(pod: Pod): Service[] {
    const namespace = namespaceOf(pod);
    return Object.entries(pod.metadata.labels ?? {})
      .flatMap(([name, value]) => servicesByPair(`${namespace}/${name}=${value}`))
      .filter((service) => selects(service, pod));
  }

  function podChanged({ old, current }: Change<Pod>, seenMs: number): void {
    if (old !== undefined && current !== undefined && !changesEndpoint(old, current)) return;
    const timeMs = podTriggerTimeMs(old, current, seenMs);
    const concerned = new Set([old, current].flatMap((pod) => (pod === undefined ? [] : servicesOf(pod))).map(keyOf));
    for (const key of concerned) {
      triggers.note(key, timeMs);
      add(key);
    }
  }

  function serviceChanged({ old, current }: Change<Service>, seenMs: number): void {
    const service = current ?? old;
    if (service === undefined) return;
    triggers.note(keyOf(service), seenMs);
    add(keyOf(service));
  }

  /** Follows a cache from now on; what is there already has no trigger time, and its Services come by themselves. */
  function follow<T>(cache: Cache<T>, apply: (change: Change<T>, seenMs: number) => void): Disposable {
    let isLive = false;
    const subscription = cache.subscribe((changes) => {
      const seenMs = triggers.now();
      if (isLive) for (const change of changes) apply(change, seenMs);
    });
    isLive = true;
    return subscription;
  }

  const subscriptions = [follow(services, serviceChanged), follow(pods, podChanged)];
  for (const service of services.list()) add(keyOf(service));
  return {
    podsOf(service) {
      const pair = rarestPair(service);
      if (pair === undefined) return [];
      return podsByPair(`${namespaceOf(service)}/${pair}`).filter((pod) => selects(service, pod));
    },
    addServicesOf: (pod) => servicesOf(pod).map(keyOf).forEach(add),
    [Symbol.dispose]: () => subscriptions.forEach((each) => each[Symbol.dispose]()),
  };
}

/** The pair of the selector to look Pods up by; undefined when the Service selects none. */
function rarestPair(service: Service): string | undefined {
  if (!isManaged(service)) return undefined;
  const pairs = Object.entries(service.spec.selector ?? {}).map(([name, value]) => `${name}=${value}`);
  // The longest is the likeliest to be rare: `app.kubernetes.io/instance=cart` before `tier=web`.
  return pairs.sort((a, b) => b.length - a.length || (a < b ? -1 : 1))[0];
}

function selects({ spec }: Service, pod: Pod): boolean {
  const labels = pod.metadata.labels ?? {};
  return Object.entries(spec.selector ?? {}).every(([name, value]) => labels[name] === value);
}

/** Does anything change that an endpoint shows, or which Services select the Pod? */
function changesEndpoint(old: Pod, current: Pod): boolean {
  return !isDeepStrictEqual(endpointFacts(old), endpointFacts(current));
}

function endpointFacts({ metadata, spec, status }: Pod): unknown {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  return [
    metadata.uid,
    metadata.labels,
    metadata.annotations?.[podWeightAnnotation],
    metadata.deletionTimestamp !== undefined,
    [spec.nodeName, spec.hostname, spec.subdomain],
    [status?.phase === 'Succeeded' || status?.phase === 'Failed', status?.podIP, status?.podIPs, ready],
  ];
}
