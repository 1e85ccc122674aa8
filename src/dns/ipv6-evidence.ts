import { networkInterfaces } from 'node:os';
import { Node } from '../api/core/node.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Cache, Caches, Change } from '../client/caches.ts';

/** Whether anything in a cluster has an IPv6 address. */
export interface Ipv6Evidence extends Disposable {
  /** False only when all is read and nothing has one: without it askers could not use IPv6 addresses of others. */
  readonly hasIpv6: () => boolean;
  /** Resolves when all is read; never while one of it may not be. */
  readonly synced: Promise<void>;
}

export interface Ipv6EvidenceOptions {
  readonly caches: Caches;
  /** Service and Pod ranges. */
  readonly cidrs: readonly string[];
  /** Whether this machine has an address that others reach. */
  readonly machineHasIpv6: () => boolean;
}

/**
 * Looks for IPv6 in a cluster: in its ranges, cluster IPs, endpoints and nodes, and at this machine. Who may not read nodes
 * never learns that there is none, and goes on asking for others' IPv6 addresses.
 */
export function followIpv6({ caches, cidrs, machineHasIpv6 }: Ipv6EvidenceOptions): Ipv6Evidence {
  if (cidrs.some(isIpv6Range)) return always;
  let count = 0;
  let isRead = false;
  const subscriptions: Disposable[] = [];
  function watch<T extends ApiObject>(cache: Cache<T>, isProof: (object: T) => boolean): Promise<void> {
    const proofs = (object: T | undefined): number => (object !== undefined && isProof(object) ? 1 : 0);
    const handler = (changes: readonly Change<T>[]): void => {
      for (const { old, current } of changes) count += proofs(current) - proofs(old);
    };
    subscriptions.push(cache.subscribe(handler));
    return cache.synced;
  }
  const synced = Promise.all([
    watch(caches.of(Service), serviceHasIpv6),
    watch(caches.of(EndpointSlice), sliceHasIpv6),
    watch(caches.of(Node, { view: 'addresses', transform: keepAddresses }), nodeHasIpv6),
  ]).then(() => {
    isRead = true;
  });
  return {
    hasIpv6: () => !isRead || count > 0 || machineHasIpv6(),
    synced,
    [Symbol.dispose]() {
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
    },
  };
}

const always: Ipv6Evidence = {
  hasIpv6: () => true,
  synced: Promise.resolve(),
  [Symbol.dispose]: () => undefined,
};

/** Interfaces are looked at this often. */
const lookEveryMs = 10_000;

/** Whether this machine has an IPv6 address beyond its links, looked up anew from time to time. `now` is in milliseconds. */
export function createMachineHasIpv6(now: () => number): () => boolean {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let has = false;
  return () => {
    if (now() - lookedAt < lookEveryMs) return has;
    lookedAt = now();
    const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    has = all.some(({ family, internal, scopeid }) => family === 'IPv6' && !internal && scopeid === 0);
    return has;
  };
}

function isIpv6(text: string): boolean {
  return text.includes(':');
}

/** Reverse zones of everything say nothing about addresses. */
export function isIpv6Range(cidr: string): boolean {
  return isIpv6(cidr) && cidr !== '::/0';
}

export function serviceHasIpv6({ spec }: Service): boolean {
  return (spec?.clusterIPs ?? []).some(isIpv6);
}

export function sliceHasIpv6({ addressType }: EndpointSlice): boolean {
  return addressType === 'IPv6';
}

export function nodeHasIpv6({ spec, status }: Node): boolean {
  const texts = [...(spec?.podCIDRs ?? []), ...(status?.addresses ?? []).map(({ address }) => address)];
  return texts.some((text) => /^[\da-f:.]+(?:\/\d+)?$/i.test(text ?? '') && isIpv6(text ?? ''));
}

function keepAddresses({ metadata, spec, status }: Node): Node {
  const { name, uid, resourceVersion } = metadata;
  return {
    metadata: { name, uid, resourceVersion },
    spec: { podCIDRs: spec.podCIDRs },
    status: { addresses: status?.addresses },
  };
}
