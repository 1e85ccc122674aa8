import type { PlaneName } from '../dataplane.ts';
import type { PlaneOptions } from '../open-plane.ts';
import { startNode } from './node-thread.ts';
import type { ContractNode } from './node.ts';
import { type Host, startHost } from './hosts.ts';
import {
  addHostAddresses,
  type Addresses,
  becomeNode,
  defaultRoutes,
  joinByVeth,
  joinPod,
  Namespaces,
  routeTo,
} from './network.ts';
import { targetPort } from './server.ts';
import type { Subject } from './subject.ts';
import {
  families,
  type HostName,
  type NodeName,
  nodeNames,
  nodeOf,
  otherTargetPort,
  podNames,
  rangePorts,
  twoNodeWorld,
} from './world.ts';

export interface TwoNodesOptions {
  readonly plane: PlaneName;
  /** What each node's plane is opened with beside its network. */
  readonly planeOptions?: (node: NodeName) => Partial<PlaneOptions>;
  /** A threaded cgroup for the machines of each node, for planes that work by cgroup. */
  readonly cgroup?: (node: NodeName) => string;
}

const gateways: Readonly<Record<NodeName, Addresses>> = {
  A: ['10.244.0.1', 'fd00:244::1'],
  B: ['10.244.1.1', 'fd00:244:1::1'],
};

/** What the outside sends by way of a node, beside the node itself. */
const routesFromOutside: Readonly<Record<NodeName, readonly string[]>> = {
  A: ['10.244.0.0/24', 'fd00:244::/64', '10.96.0.0/16', 'fd00:96::/112', '203.0.113.0/25', '2001:db8:80::/64'],
  B: ['10.244.1.0/24', 'fd00:244:1::/64', '203.0.113.128/25', '2001:db8:81::/64'],
};

const podRanges: Readonly<Record<NodeName, Addresses>> = {
  A: ['10.244.0.0/24', 'fd00:244::/64'],
  B: ['10.244.1.0/24', 'fd00:244:1::/64'],
};

/**
 * Two nodes, their Pods and an outside client, each in a network namespace of its own, with a plane on each node:
 *
 * ```
 * a1 ─┐                       ┌─ b1
 *     ├─ A ───────────────  B ┤
 * a2 ─┘   └──── outside ────┘ └─ b2
 * ```
 */
export async function openTwoNodes({ plane, planeOptions, cgroup }: TwoNodesOptions): Promise<Subject> {
  await using stack = new AsyncDisposableStack();
  const namespaces = stack.use(new Namespaces());
  const paths = layNetwork(namespaces);
  const hosts = new Map<HostName, Host>();
  for (const [name, namespace] of paths) {
    const node = nodeOf(name);
    const group = node && cgroup?.(node);
    hosts.set(name, stack.use(startHost({ name, namespace, ...(group !== undefined && { cgroup: group }) })));
  }
  await Promise.all([...hosts].map(([name, host]) => serveAll(name, host)));
  const start = (name: NodeName): ContractNode =>
    stack.use(startNode({ name, namespace: paths.get(name) ?? '', plane, options: planeOptions?.(name) ?? {} }));
  const nodes = { A: start('A'), B: start('B') };
  const opened = stack.move();
  return {
    world: twoNodeWorld,
    nodes,
    perform: async (from, task) => (await hosts.get(from)?.perform(task)) ?? [],
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Makes the namespaces with links, addresses and routes; returns the path of each machine's. */
function layNetwork(namespaces: Namespaces): ReadonlyMap<HostName, string> {
  const paths = new Map<HostName, string>();
  const create = (name: HostName): string => {
    const path = namespaces.create(name);
    paths.set(name, path);
    return path;
  };
  const outside = create('outside');
  const nodes = { A: create('A'), B: create('B') };
  const bridges = { A: becomeNode(nodes.A, gateways.A), B: becomeNode(nodes.B, gateways.B) };
  joinByVeth({ namespace: nodes.A, link: 'to-B' }, { namespace: nodes.B, link: 'to-A' });
  for (const name of nodeNames) {
    joinOutside(outside, nodes[name], name);
    joinOther(nodes[name], name);
  }
  for (const name of podNames) {
    const node = nodeOf(name) ?? 'A';
    joinPod(
      nodes[node],
      bridges[node],
      { namespace: create(name), name, addresses: addressesOf(name) },
      gateways[node],
    );
  }
  return paths;
}

/** What a node does not know goes outside: packets that nobody translated are not refused by the node itself. */
function joinOutside(outside: string, namespace: string, name: NodeName): void {
  const here = { namespace, link: 'to-outside' };
  const there = { namespace: outside, link: `to-${name}` };
  joinByVeth(here, there);
  addHostAddresses(here, addressesOf(name));
  addHostAddresses(there, addressesOf('outside'));
  defaultRoutes(here, addressesOf('outside'));
  for (const address of addressesOf(name)) {
    routeTo(there, address);
    const routes = routesFromOutside[name].filter((route) => route.includes(':') === address.includes(':'));
    for (const route of routes) routeTo(there, route, address);
  }
}

/** The way to the other node and its Pods. */
function joinOther(namespace: string, name: NodeName): void {
  const other = name === 'A' ? 'B' : 'A';
  const link = { namespace, link: `to-${other}` };
  addHostAddresses(link, addressesOf(name));
  for (const [index, address] of addressesOf(other).entries()) {
    routeTo(link, address);
    routeTo(link, podRanges[other][index] ?? '', address);
  }
}

function addressesOf(name: HostName): Addresses {
  return [twoNodeWorld.addresses.IPv4[name], twoNodeWorld.addresses.IPv6[name]];
}

async function serveAll(name: HostName, host: Host): Promise<void> {
  const addresses = families.map((family) => twoNodeWorld.addresses[family][name]);
  const ports = [targetPort, otherTargetPort, ...rangePorts];
  await host.perform({ kind: 'serve', addresses, ports, protocols: ['TCP', 'UDP', 'SCTP'], namesPorts: true });
}
