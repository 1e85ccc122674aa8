import type { Node } from '../../api/core/node.ts';
import type { Service, ServicePort } from '../../api/core/service.ts';
import type { Endpoint, EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import {
  portRangesAnnotation,
  resetRemovedAnnotation,
  schedulerAnnotation,
  weightsAnnotation,
} from '../../api/fairlead-annotations.ts';
import { schedulers } from '../../routing/scheduler.ts';
import { type Family, type NodeName, nodeOf, nodePort, podNames, type ServiceName, type World } from './world.ts';

/** Random numbers from a seed, and what is made with them. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** In [0, 1) (mulberry32). */
  roll(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  happens(chance: number): boolean {
    return this.roll() < chance;
  }

  one<T>(from: readonly T[]): T {
    const picked = from[Math.floor(this.roll() * from.length)];
    if (picked === undefined) throw new RangeError('nothing to choose from');
    return picked;
  }

  some<T>(from: readonly T[], chance: number): readonly T[] {
    return from.filter(() => this.happens(chance));
  }
}

const names = ['web', 'db', 'cache'] as const satisfies readonly ServiceName[];
const zones = ['east', 'west'] as const;
const rangeStart = 9000;

/** A Service of the model, with anything that the API allows and routing knows. */
export function randomService(dice: Dice, world: World, name: ServiceName): Service {
  const type = dice.one(['ClusterIP', 'ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const);
  const isHeadless = type === 'ClusterIP' && dice.happens(0.1);
  const ipFamilies = dice.happens(0.3) ? [dice.one(world.families)] : world.families;
  const clusterIPs = isHeadless ? ['None'] : ipFamilies.map((family) => world.addresses[family][name]);
  const isExternal = type === 'NodePort' || type === 'LoadBalancer';
  const hasAffinity = dice.happens(0.3);
  const service: Service = {
    metadata: {
      name,
      namespace: 'default',
      creationTimestamp: `2026-01-0${1 + Math.floor(dice.roll() * 3)}T00:00:00Z`,
      labels: Object.fromEntries(
        dice
          .some(['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless'], 0.03)
          .map((it) => [it, '']),
      ),
      annotations: randomAnnotations(dice),
    },
    spec: {
      type,
      ...(type !== 'ExternalName' && { clusterIP: clusterIPs[0] ?? '', clusterIPs, ipFamilies: [...ipFamilies] }),
      ports: randomPorts(dice, isExternal),
      ...(dice.happens(0.3) && { internalTrafficPolicy: 'Local' }),
      ...(isExternal && dice.happens(0.5) && { externalTrafficPolicy: 'Local' }),
      ...(hasAffinity && {
        sessionAffinity: 'ClientIP',
        ...(dice.happens(0.7) && { sessionAffinityConfig: { clientIP: { timeoutSeconds: dice.one([30, 60, 3600]) } } }),
      }),
      ...(type !== 'ExternalName' && dice.happens(0.3) && { externalIPs: everyAddress(world, 'external') }),
    },
  };
  if (type !== 'LoadBalancer') return service;
  const ips = dice
    .some(['balancer-A', 'balancer-B', 'external'] as const, 0.6)
    .flatMap((it) => everyAddress(world, it));
  const ranges = dice.happens(0.5) ? dice.some(rangesOf(world), 0.4) : [];
  return {
    ...service,
    spec: { ...service.spec, ...(ranges.length > 0 && { loadBalancerSourceRanges: [...ranges] }) },
    status: { loadBalancer: { ingress: ips.map((ip) => ({ ip, ...(dice.happens(0.2) && { ipMode: 'Proxy' }) })) } },
  };
}

function randomAnnotations(dice: Dice): Record<string, string> {
  return {
    ...(dice.happens(0.3) && { [schedulerAnnotation]: dice.one(schedulers) }),
    ...(dice.happens(0.2) && { [resetRemovedAnnotation]: dice.one(['30s', '60s']) }),
    ...(dice.happens(0.2) && { [portRangesAnnotation]: `range=${rangeStart}-${rangeStart + dice.one([1, 2])}` }),
  };
}

function randomPorts(dice: Dice, hasNodePorts: boolean): ServicePort[] {
  const ports: readonly ServicePort[] = [
    { name: 'tcp', port: 8180, protocol: 'TCP' },
    { name: 'udp', port: 8180, protocol: 'UDP' },
    { name: 'sctp', port: 8180, protocol: 'SCTP' },
    { name: 'other', port: 8181, protocol: 'TCP' },
    { name: 'range', port: rangeStart, protocol: 'TCP' },
  ];
  const nodePorts = [nodePort, nodePort + 1, nodePort + 2, nodePort + 3, nodePort + 4];
  return dice
    .some(ports, 0.5)
    .map((port) => (hasNodePorts && dice.happens(0.8) ? { ...port, nodePort: dice.one(nodePorts) } : port));
}

function everyAddress(world: World, name: 'external' | 'balancer-A' | 'balancer-B'): string[] {
  return world.families.map((family) => world.addresses[family][name]);
}

function rangesOf(world: World): readonly string[] {
  return world.families.flatMap((family) => {
    const { A, outside, a1 } = world.addresses[family];
    return [A, outside, a1].map((address) => `${address}/${family === 'IPv4' ? 32 : 128}`);
  });
}

/** A slice of a random Service; endpoints may be in several. */
export function randomSlice(dice: Dice, world: World, name: string): EndpointSlice {
  const family = dice.one(world.families);
  const endpoints = dice
    .some([...podNames, 'A', 'B'] as const, 0.4)
    .map((host) => randomEndpoint(dice, world, family, host));
  const weighted = dice.happens(0.2) ? dice.some(endpoints, 0.5) : [];
  const protocols = { tcp: 'TCP', udp: 'UDP', sctp: 'SCTP', other: 'TCP', range: 'TCP' } as const;
  const ports = Object.entries(protocols).map(([port, protocol]) => ({
    name: port,
    port: dice.one([8080, 8081]),
    protocol,
  }));
  return {
    metadata: {
      name,
      namespace: 'default',
      labels: {
        'kubernetes.io/service-name': dice.one(names),
        ...(dice.happens(0.03) && { 'service.kubernetes.io/headless': '' }),
      },
      annotations: {
        ...(weighted.length > 0 && {
          [weightsAnnotation]: weighted.map(({ addresses }) => `${addresses?.[0]}=${dice.one([0, 0, 2, 3])}`).join(','),
        }),
      },
    },
    addressType: family,
    ports: [...dice.some(ports, 0.8)],
    endpoints,
  };
}

function randomEndpoint(
  dice: Dice,
  world: World,
  family: Family,
  host: 'A' | 'B' | (typeof podNames)[number],
): Endpoint {
  const ready = dice.happens(0.7);
  const isHinted = dice.happens(0.7);
  return {
    addresses: [world.addresses[family][host]],
    ...(dice.happens(0.9) && {
      conditions: { ready, serving: ready || dice.happens(0.6), terminating: !ready && dice.happens(0.6) },
    }),
    ...(dice.happens(0.8) && { nodeName: nodeOf(host) }),
    ...(isHinted && { hints: randomHints(dice) }),
    ...(dice.happens(0.8) && { targetRef: { kind: 'Pod', namespace: 'default', name: host } }),
  };
}

function randomHints(dice: Dice): Endpoint['hints'] {
  const named = (from: readonly string[]) => dice.some(from, 0.6).map((name) => ({ name }));
  return { forZones: named(zones), forNodes: dice.happens(0.3) ? named(['A', 'B']) : [] };
}

/** A node with its addresses, in some zone or none. */
export function randomNode(dice: Dice, world: World, name: NodeName): Node {
  return {
    metadata: { name, labels: dice.happens(0.7) ? { 'topology.kubernetes.io/zone': dice.one(zones) } : {} },
    spec: {},
    status: {
      addresses: world.families.map((family) => ({ type: 'InternalIP', address: world.addresses[family][name] })),
    },
  };
}
