import type { Dataplane, NodeNetwork } from '../dataplane.ts';
import { type Host, startHost } from './hosts.ts';
import { createNode } from './node.ts';
import { targetPort } from './server.ts';
import type { Subject } from './subject.ts';
import { type Destination, nodeNames, otherTargetPort, podNames, rangePorts, type World } from './world.ts';

/** Machines of this world that call: the node and its Pods, all on this machine's loopback. */
const callers = ['A', 'a1', 'a2'] as const;

/**
 * The world of a plane that serves one machine without privileges: everything is an address of its loopback. The other
 * node's Pods serve, but nobody calls from there. Worlds of one process need different numbers, 0 and 1.
 */
export async function openLoopback(
  openPlane: (network: NodeNetwork) => Promise<Dataplane>,
  neighbour = 0,
): Promise<Subject> {
  await using stack = new AsyncDisposableStack();
  const world = loopbackWorld(1 + ((process.pid + 125 * neighbour) % 250));
  const hosts = new Map<string, Host>();
  for (const name of [...nodeNames, ...podNames]) {
    const host = stack.use(startHost({ name }));
    hosts.set(name, host);
    const ports = [targetPort, otherTargetPort, ...rangePorts];
    await host.perform({
      kind: 'serve',
      addresses: [world.addresses.IPv4[name]],
      ports,
      protocols: ['TCP', 'UDP'],
      namesPorts: true,
    });
  }
  const node = stack.use(createNode(openPlane));
  const opened = stack.move();
  return {
    world,
    nodes: { A: node },
    async perform(from, task) {
      const caller = callers.find((name) => name === from);
      if (caller === undefined) return ['nobody'];
      // Hand-made packets need privileges, which this world does without.
      if (task.kind === 'call' && task.protocol === 'SCTP') return ['no SCTP here'];
      const own = task.kind === 'call' ? { ...task, localAddress: world.addresses.IPv4[caller] } : task;
      return (await hosts.get(caller)?.perform(own)) ?? [];
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Addresses of this process alone, by a number from 1 to 250. */
function loopbackWorld(block: number): World {
  const addresses: Readonly<Record<Destination, string>> = {
    A: `127.192.${block}.1`,
    B: `127.192.${block}.2`,
    a1: `127.244.${block}.11`,
    a2: `127.244.${block}.12`,
    b1: `127.244.${block}.21`,
    b2: `127.244.${block}.22`,
    outside: `127.192.${block}.100`,
    web: `127.96.${block}.10`,
    db: `127.96.${block}.11`,
    cache: `127.96.${block}.12`,
    'balancer-A': `127.203.${block}.10`,
    'balancer-B': `127.203.${block}.138`,
    external: `127.203.${block}.80`,
    unallocated: `127.96.${block}.200`,
    localhost: '127.0.0.1',
  };
  const network = {
    podCidrs: [],
    clusterCidrs: [],
    serviceCidrs: ['127.96.0.0/16'],
    nodePortAddresses: [addresses.A],
  };
  return { families: ['IPv4'], addresses: { IPv4: addresses, IPv6: addresses }, network: { A: network, B: network } };
}
