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

/** A machine's place in the network of one node. */
export interface HostNetworkPlace {
  readonly name: string;
  readonly addresses: readonly string[];
  /** The node's addresses on the link to it. */
  readonly gateways: Addresses;
  /** On the node's bridge, as Pods are, instead of a link of its own. */
  readonly isBridged?: boolean;
}

/** Machines around the calling thread's namespace, which is their node: for tests of one node. */
export class HostNetwork implements AsyncDisposable {
  readonly hosts = new Map<string, Host>();
  readonly #namespaces = new Namespaces();

  constructor(places: readonly HostNetworkPlace[]) {
    const bridged = places.find((place) => place.isBridged === true);
    const bridge = becomeNode(undefined, bridged?.gateways ?? []);
    for (const { name, addresses, gateways, isBridged } of places) {
      const namespace = this.#namespaces.create(name);
      if (isBridged === true) joinPod(undefined, bridge, { namespace, name, addresses }, gateways);
      else joinLonely({ namespace, name, addresses }, gateways);
      this.hosts.set(name, startHost({ name, namespace }));
    }
    this.hosts.set('node', startHost({ name: 'node' }));
  }

  host(name: string): Host {
    const host = this.hosts.get(name);
    if (host === undefined) throw new Error(`there is no host ${name}`);
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.hosts.values()) await host[Symbol.asyncDispose]();
    this.#namespaces[Symbol.dispose]();
  }
}

function joinLonely(
  {
    namespace,
    name,
    addresses,
  }: { readonly namespace: string; readonly name: string; readonly addresses: readonly string[] },
  gateways: Addresses,
): void {
  const here = { namespace: undefined, link: `to-${name}` };
  const there = { namespace, link: 'eth0' };
  joinByVeth(here, there);
  addHostAddresses(here, gateways);
  addHostAddresses(there, addresses);
  for (const address of addresses) routeTo(here, address);
  defaultRoutes(there, gateways);
}
