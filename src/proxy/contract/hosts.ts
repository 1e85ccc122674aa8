import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createNetworkNamespace, inNetworkNamespace, removeNetworkNamespace } from '../../linux/namespaces.ts';
import { openRoute } from '../../linux/route.ts';
import { writeSysctl } from '../../linux/sysctl.ts';
import type { HostReply, HostRequest } from './host-worker.ts';

/** One machine of the contract's network, driven from the test. */
export interface Host extends AsyncDisposable {
  /** Answers TCP and UDP on the port. */
  serve(address: string, port: number): Promise<void>;
  /** Opens a connection (or sends a datagram): `NAME ADDRESS-SEEN`, `refused` or `timeout`. */
  call(address: string, port: number, udp: boolean): Promise<string>;
  /** The same, and keeps the connection or socket for `again`. */
  hold(address: string, port: number, udp: boolean): Promise<string>;
  again(): Promise<string>;
  /** Answers SCTP associations on the port; needs CAP_NET_RAW. */
  serveSctp(address: string, port: number): Promise<void>;
  /** Begins an SCTP association: as `call`. */
  callSctp(address: string, port: number): Promise<string>;
}

type Task = HostRequest extends infer R ? (R extends HostRequest ? Omit<R, 'id'> : never) : never;

/** Starts a machine in a network namespace, or in that of the calling thread. */
export function startHost(name: string, namespace?: string): Host {
  // Raw sockets are opened by foreign functions, of which Node knows nothing.
  const options = { workerData: { name, namespace }, trackUnmanagedFds: false };
  const worker = new Worker(new URL('./host-worker.ts', import.meta.url), options);
  const waiting = new Map<number, { resolve: (text: string) => void; reject: (error: Error) => void }>();
  let id = 0;
  worker.on('message', (reply: HostReply) => {
    waiting.get(reply.id)?.resolve(reply.text);
    waiting.delete(reply.id);
  });
  worker.on('error', (error) => {
    for (const each of waiting.values()) each.reject(error instanceof Error ? error : new Error(String(error)));
  });
  const ask = (task: Task): Promise<string> =>
    new Promise((resolve, reject) => {
      id += 1;
      waiting.set(id, { resolve, reject });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
      worker.postMessage({ ...task, id });
    });
  return {
    async serve(address, port) {
      await ask({ kind: 'serve', address, port });
    },
    call: (address, port, udp) => ask({ kind: 'call', address, port, udp }),
    hold: (address, port, udp) => ask({ kind: 'hold', address, port, udp }),
    again: () => ask({ kind: 'again' }),
    async serveSctp(address, port) {
      await ask({ kind: 'serve-sctp', address, port });
    },
    callSctp: (address, port) => ask({ kind: 'call-sctp', address, port }),
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}

/** A machine's place in the contract's network. */
export interface HostPlace {
  readonly name: string;
  readonly addresses: readonly string[];
  /** The node's addresses on the link to it, IPv4 then IPv6. */
  readonly gateways: readonly [string, string];
  /** On the node's bridge, as Pods are, instead of a link of its own. */
  readonly isBridged?: boolean;
}

const bridgeName = 'pods';

/**
 * Namespaces around the calling thread's, each joined by a veth pair. Each machine has its addresses as single hosts and
 * sends everything through the node, so every packet is routed; nothing is switched past the node's rules.
 */
export class HostNetwork implements AsyncDisposable {
  readonly hosts = new Map<string, Host>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'fairlead-contract-'));
  readonly #namespaces: string[] = [];

  constructor(places: readonly HostPlace[]) {
    writeSysctl('net.ipv4.ip_forward', '1');
    writeSysctl('net.ipv6.conf.all.forwarding', '1');
    // Redirects to neighbours on the bridge would use up what a client may be told of refusals.
    writeSysctl('net.ipv6.icmp.ratelimit', '0');
    using node = openRoute();
    const bridge = node.createLink({ kind: 'bridge', name: bridgeName, up: true });
    for (const place of places) this.#join(place, bridge.index);
    this.hosts.set('node', startHost('node'));
  }

  host(name: string): Host {
    const host = this.hosts.get(name);
    if (host === undefined) throw new Error(`there is no host ${name}`);
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.hosts.values()) await host[Symbol.asyncDispose]();
    for (const namespace of this.#namespaces) removeNetworkNamespace(namespace);
    rmSync(this.#folder, { recursive: true });
  }

  #join({ name, addresses, gateways, isBridged }: HostPlace, bridge: number): void {
    const namespace = join(this.#folder, name);
    createNetworkNamespace(namespace);
    this.#namespaces.push(namespace);
    using node = openRoute();
    const namespaceFd = openSync(namespace, 'r');
    const membership = isBridged === true ? { master: bridge, hairpin: true } : {};
    const peer = { name: 'eth0', namespaceFd };
    const link = node.createLink({ kind: 'veth', name: `to-${name}`, up: true, peer, ...membership });
    closeSync(namespaceFd);
    const way = isBridged === true ? bridge : link.index;
    // Neighbours on the bridge must not learn to answer each other past the node: that would be untranslated.
    inNetworkNamespace(namespace, () => writeSysctl('net.ipv6.conf.eth0.accept_redirects', '0'));
    using inside = inNetworkNamespace(namespace, openRoute);
    inside.setLink('eth0', { up: true });
    const eth0 = inside.link('eth0')?.index ?? 0;
    for (const [at, gateway] of gateways.entries()) {
      const isIpv6 = at === 1;
      node.addAddress(way, `${gateway}/${isIpv6 ? 128 : 32}`);
      for (const address of addresses.filter((each) => each.includes(':') === isIpv6)) {
        inside.addAddress('eth0', address);
        node.replaceRoute({ destination: `${address}/${isIpv6 ? 128 : 32}`, linkIndex: way });
      }
      inside.replaceRoute({ destination: `${gateway}/${isIpv6 ? 128 : 32}`, linkIndex: eth0 });
      inside.replaceRoute({ destination: isIpv6 ? '::/0' : '0.0.0.0/0', linkIndex: eth0, gateway });
    }
    this.hosts.set(name, startHost(name, namespace));
  }
}
