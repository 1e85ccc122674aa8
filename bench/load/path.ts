import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNetworkNamespace, inNetworkNamespace, removeNetworkNamespace } from '../../src/linux/namespaces.ts';
import { openRoute } from '../../src/linux/route.ts';
import { writeSysctl } from '../../src/linux/sysctl.ts';
import {
  acceptConnection,
  openCaller,
  openListener,
  socketAddress,
  timeConnect,
} from '../../src/linux/tcp-handshake.ts';

/** Addresses of every path: a Pod that calls, and two Pods that serve, on one node. */
export const callerAddress = '10.244.250.2';
export const serverAddresses = ['10.244.250.3', '10.244.250.4'] as const;
export const serverPort = 8080;
const gateway = '10.244.250.1';

const firstPort = 1_024;
const ports = 64_000;
/** Sockets made at one go, so that the thread changes namespaces rarely. */
const batch = 512;

/**
 * Caller – node – server: three network namespaces joined by veth pairs, every packet routed by the node. All of it is
 * driven by the calling thread, so a handshake is one piece of kernel work without a wake-up in between.
 */
export class Path implements Disposable {
  readonly #node: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'fairlead-path-'));
  readonly #namespaces: string[] = [];
  readonly #caller: string;
  readonly #listener: number;
  #callers: number[] = [];
  #served = <T>(work: () => T): T => work();
  #port = 0;

  /** The node is the network namespace at a path, or a new one that a function prepares. */
  constructor(node: string | (() => void)) {
    this.#node = typeof node === 'string' ? node : this.#create('node');
    this.#caller = this.#create('caller');
    const server = this.#create('server');
    inNetworkNamespace(this.#node, () => {
      writeSysctl('net.ipv4.ip_forward', '1');
      if (typeof node !== 'string') node();
    });
    this.#join(this.#caller, 'caller', [callerAddress]);
    this.#join(server, 'server', serverAddresses);
    this.#listener = inNetworkNamespace(server, () => openListener('0.0.0.0', serverPort));
  }

  /** How callers' sockets are made from now on: where a plane serves them. */
  serve(served: <T>(work: () => T) => T): void {
    for (const fd of this.#callers.splice(0)) closeSync(fd);
    this.#served = served;
  }

  /** Milliseconds of one handshake with `address:port`, which must lead to one of the servers. */
  connect(address: string, port: number): number {
    const caller = this.#nextCaller();
    const tookMs = timeConnect(caller, socketAddress(address, port));
    closeSync(caller);
    closeSync(acceptConnection(this.#listener));
    return tookMs;
  }

  [Symbol.dispose](): void {
    for (const fd of [...this.#callers, this.#listener]) closeSync(fd);
    for (const namespace of this.#namespaces) removeNetworkNamespace(namespace);
    rmSync(this.#folder, { recursive: true });
  }

  #create(name: string): string {
    const path = join(this.#folder, name);
    createNetworkNamespace(path);
    this.#namespaces.push(path);
    return path;
  }

  #join(namespace: string, name: string, addresses: readonly string[]): void {
    using node = inNetworkNamespace(this.#node, openRoute);
    const namespaceFd = openSync(namespace, 'r');
    const { index } = node.createLink({ kind: 'veth', name, up: true, peer: { name: 'eth0', namespaceFd } });
    closeSync(namespaceFd);
    node.addAddress(index, `${gateway}/32`);
    using inside = inNetworkNamespace(namespace, openRoute);
    inside.setLink('eth0', { up: true });
    const linkIndex = inside.link('eth0')?.index ?? 0;
    inside.replaceRoute({ destination: `${gateway}/32`, linkIndex });
    for (const address of addresses) {
      inside.addAddress('eth0', `${address}/32`);
      node.replaceRoute({ destination: `${address}/32`, linkIndex: index });
    }
    inside.replaceRoute({ destination: '0.0.0.0/0', linkIndex, gateway });
  }

  /** Each connection has a port of its own: connection tracking never meets one that it still knows. */
  #nextCaller(): number {
    const ready = this.#callers.pop();
    if (ready !== undefined) return ready;
    const open = (): number => openCaller(callerAddress, firstPort + (this.#port++ % ports));
    this.#callers = this.#served(() => inNetworkNamespace(this.#caller, () => Array.from({ length: batch }, open)));
    return this.#nextCaller();
  }
}
