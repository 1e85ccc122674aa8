import type { Node } from '../../api/core/node.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { Service } from '../../api/core/service.ts';
import type { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { reconcileEndpointSlices } from '../../controllers/endpoint-slices/reconcile.ts';
import { nodeFixture, podFixture, serviceFixture } from '../../controllers/fixtures.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { createRouter, type ObjectChange, type RouterChanges } from '../../routing/router.ts';
import { livesOnLoopback } from '../node-facts.ts';
import type { EndpointShape, ServiceShape, SliceShape, Step } from './case.ts';
import { type Family, type HostName, isPod, type NodeName, nodeNames, nodeOf, type World } from './world.ts';

/**
 * The objects of a cluster, with a router for each node: steps in, changed frontends out. The endpoint slices controller
 * runs after each step, as it does beside an API server.
 */
export class Cluster {
  readonly #world: World;
  readonly #services = new Map<string, Service>();
  readonly #pods = new Map<string, Pod>();
  readonly #nodes = new Map<string, Node>();
  readonly #slices = new Map<string, EndpointSlice>();
  readonly #routers;
  #made = 0;
  /** Unix milliseconds. */
  #nowMs = Date.UTC(2026, 0, 1);

  constructor(world: World, allowExternalIps = false) {
    this.#world = world;
    const allowLoopback = livesOnLoopback(world.network.A);
    const router = (nodeName: NodeName) =>
      createRouter({ nodeName, allowExternalIps, allowLoopback, now: () => this.#nowMs });
    this.#routers = { A: router('A'), B: router('B') };
    this.pass(0);
    for (const name of nodeNames) this.#nodes.set(name, nodeFixture(name));
  }

  /** Lays the objects of a step over those before. */
  change(step: Step): Readonly<Record<NodeName, RouterChanges>> {
    const changes: ObjectChange[] = [];
    for (const [name, zone] of Object.entries(step.zones ?? {}))
      changes.push(...this.#putNode(nodeFixture(name, zone)));
    for (const [name, words] of Object.entries(step.pods ?? {})) this.#putPod(name as HostName, words);
    for (const [name, shape] of Object.entries(step.services ?? {})) {
      changes.push(...this.#putService(name, shape === null ? undefined : placeService(this.#world, name, shape)));
    }
    for (const [name, shape] of Object.entries(step.slices ?? {})) {
      if (!this.#world.families.includes(shape?.family ?? 'IPv4')) continue;
      changes.push(...this.#putSlice(name, shape === null ? undefined : placeSlice(this.#world, name, shape)));
    }
    changes.push(...this.#reconcile());
    return { A: this.#routers.A.apply(...changes), B: this.#routers.B.apply(...changes) };
  }

  /** Lets time pass. */
  pass(seconds: number): Readonly<Record<NodeName, RouterChanges>> {
    this.#nowMs += seconds * 1000;
    return { A: this.#routers.A.tick(), B: this.#routers.B.tick() };
  }

  /** Deletes everything. */
  clear(): Readonly<Record<NodeName, RouterChanges>> {
    const gone = (names: Iterable<string>) => Object.fromEntries([...names].map((name) => [name, null]));
    for (const name of this.#pods.keys()) this.#pods.delete(name);
    return this.change({ services: gone(this.#services.keys()), slices: gone(this.#slices.keys()) });
  }

  frontends(node: NodeName): readonly Frontend[] {
    return [...this.#routers[node].frontends()];
  }

  #putNode(node: Node): ObjectChange[] {
    const old = this.#nodes.get(node.metadata.name ?? '');
    this.#nodes.set(node.metadata.name ?? '', node);
    return [{ type: 'node', ...(old && { old }), new: node }];
  }

  #putService(name: string, service: Service | undefined): ObjectChange[] {
    const old = this.#services.get(name);
    if (service === undefined) this.#services.delete(name);
    else this.#services.set(name, service);
    return old || service ? [{ type: 'service', ...(old && { old }), ...(service && { new: service }) }] : [];
  }

  #putPod(name: HostName, words: string): void {
    if (words === '') this.#pods.delete(name);
    else this.#pods.set(name, placePod(this.#world, name, words));
  }

  #putSlice(name: string, slice: EndpointSlice | undefined): ObjectChange[] {
    const old = this.#slices.get(name);
    if (slice === undefined) this.#slices.delete(name);
    else this.#slices.set(name, slice);
    return old || slice ? [{ type: 'slice', ...(old && { old }), ...(slice && { new: slice }) }] : [];
  }

  /** What the controller would write, and the garbage collector when a Service is gone. */
  #reconcile(): ObjectChange[] {
    const changes: ObjectChange[] = [];
    for (const service of this.#services.values()) {
      const selector = Object.entries(service.spec.selector ?? {});
      const pods = [...this.#pods.values()].filter((pod) => selector.every(([k, v]) => pod.metadata.labels?.[k] === v));
      const slices = this.#ownSlices(service.metadata.name ?? '');
      const writes = reconcileEndpointSlices({ service, pods, slices, nodeOf: (name) => this.#nodes.get(name) });
      for (const slice of writes.create) changes.push(...this.#putSlice(...this.#named(slice)));
      for (const slice of writes.update) changes.push(...this.#putSlice(slice.metadata.name ?? '', slice));
      for (const slice of writes.delete) changes.push(...this.#putSlice(slice.metadata.name ?? '', undefined));
    }
    for (const [name, slice] of this.#slices) {
      const owner = slice.metadata.ownerReferences?.[0]?.name;
      if (owner !== undefined && !this.#services.has(owner)) changes.push(...this.#putSlice(name, undefined));
    }
    return changes;
  }

  #named(slice: EndpointSlice): [string, EndpointSlice] {
    this.#made += 1;
    const name = `${slice.metadata.generateName ?? ''}${this.#made}`;
    return [name, { ...slice, metadata: { ...slice.metadata, name } }];
  }

  #ownSlices(service: string): EndpointSlice[] {
    return [...this.#slices.values()].filter((slice) => slice.metadata.ownerReferences?.[0]?.name === service);
  }
}

/** What admission does: cluster addresses by name, and load balancer addresses; names of machines become addresses. */
function placeService(world: World, name: string, { spec, metadata, ipMode }: ServiceShape): Service {
  const all = (spec.ipFamilies as readonly Family[] | undefined) ?? world.families;
  const ipFamilies = all.filter((family) => world.families.includes(family));
  const addresses = (named: string): string[] => ipFamilies.map((family) => addressIn(world, family, named));
  const clusterIPs = spec.clusterIP === 'None' ? ['None'] : addresses(name);
  const hasNoAddress = spec.type === 'ExternalName';
  const service = serviceFixture(
    {
      ...spec,
      ...(hasNoAddress
        ? { clusterIP: '' }
        : { clusterIP: clusterIPs[0] ?? '', clusterIPs, ipFamilies: [...ipFamilies] }),
      selector: spec.selector ?? { app: name },
      ports: spec.ports ?? [{ name: 'tcp', port: 8180, protocol: 'TCP', targetPort: 8080 }],
      ...(spec.externalIPs && { externalIPs: spec.externalIPs.flatMap(addresses) }),
      ...(spec.loadBalancerSourceRanges && {
        loadBalancerSourceRanges: spec.loadBalancerSourceRanges.flatMap((each) =>
          addresses(each).map((address) => `${address}/${address.includes(':') ? 128 : 32}`),
        ),
      }),
    },
    { creationTimestamp: '2026-01-01T00:00:00Z', ...metadata, name, uid: `uid-${name}` },
  );
  if (spec.type !== 'LoadBalancer') return service;
  const ips = ['balancer-A', 'balancer-B'].flatMap(addresses);
  return { ...service, status: { loadBalancer: { ingress: ips.map((ip) => ({ ip, ...(ipMode && { ipMode }) })) } } };
}

function addressIn(world: World, family: Family, name: string): string {
  const addresses: Readonly<Record<string, string>> = world.addresses[family];
  const address = addresses[name];
  if (address === undefined) throw new Error(`${name} has no ${family} address in this world`);
  return address;
}

function placePod(world: World, host: HostName, text: string): Pod {
  const [app = '', ...words] = text.split(' ');
  const settings = new Map(
    words.filter((word) => word.includes('=')).map((word) => word.split('=') as [string, string]),
  );
  const weight = settings.get('weight');
  settings.delete('weight');
  return podFixture({
    name: host,
    labels: { app },
    ips: world.families.map((family) => world.addresses[family][host]),
    node: nodeOf(host) ?? '',
    ready: !words.includes('unready'),
    deleting: words.includes('terminating'),
    phase: words.includes('failed') ? 'Failed' : 'Running',
    ports: [...settings].map(([name, port]) => ({ name, containerPort: Number(port), protocol: 'TCP' })),
    metadata: weight === undefined ? {} : { annotations: { 'fairlead.dev/weight': weight } },
    spec: isPod(host) ? {} : { hostNetwork: true },
  });
}

function placeSlice(world: World, name: string, shape: SliceShape): EndpointSlice {
  const family = shape.family ?? 'IPv4';
  return {
    metadata: {
      name,
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': shape.service },
      ...(shape.annotations && { annotations: { ...shape.annotations } }),
    },
    addressType: family,
    ports: shape.ports ?? [{ name: 'tcp', port: 8080, protocol: 'TCP' }],
    endpoints: Object.entries(shape.endpoints).map(([host, endpoint]) =>
      placeEndpoint(world, family, host as HostName, endpoint),
    ),
  };
}

function placeEndpoint(world: World, family: Family, host: HostName, shape: EndpointShape) {
  const { forZones, forNodes, ready = true, serving = ready, terminating = false } = shape;
  const named = (names: readonly string[] | undefined) => (names ?? []).map((name) => ({ name }));
  return {
    addresses: [world.addresses[family][host]],
    conditions: { ready, serving, terminating },
    nodeName: nodeOf(host),
    hints: forZones || forNodes ? { forZones: named(forZones), forNodes: named(forNodes) } : undefined,
  };
}
