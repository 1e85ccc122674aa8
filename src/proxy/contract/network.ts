import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNetworkNamespace, inNetworkNamespace, removeNetworkNamespace } from '../../linux/namespaces.ts';
import { randomHardwareAddress } from '../../linux/route/links.ts';
import { openRoute } from '../../linux/route.ts';
import { readSysctl, writeSysctl } from '../../linux/sysctl.ts';

/** Network namespaces of one test, joined by veth pairs; they go with it. */
export class Namespaces implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'fairlead-contract-'));
  readonly #paths: string[] = [];

  /** Path of a new namespace. */
  create(name: string): string {
    const path = join(this.#folder, name);
    createNetworkNamespace(path);
    this.#paths.push(path);
    return path;
  }

  [Symbol.dispose](): void {
    for (const path of this.#paths) removeNetworkNamespace(path);
    rmSync(this.#folder, { recursive: true });
  }
}

/** One end of a veth pair: its namespace (undefined: the thread's own) and its name there. */
export interface End {
  readonly namespace: string | undefined;
  readonly link: string;
  /** Index of a bridge that the end belongs to. */
  readonly bridge?: number;
}

/** Both address families of something, IPv4 first. */
export type Addresses = readonly [string, string];

/** Joins two ends by a veth pair that is up. */
export function joinByVeth(end: End, other: End & { readonly namespace: string }): void {
  const namespaceFd = openSync(other.namespace, 'r');
  using route = inside(end.namespace, openRoute);
  const membership = end.bridge === undefined ? {} : { master: end.bridge, hairpin: true };
  route.createLink({ kind: 'veth', name: end.link, up: true, peer: { name: other.link, namespaceFd }, ...membership });
  closeSync(namespaceFd);
  using there = inside(other.namespace, openRoute);
  there.setLink(other.link, { up: true });
}

/** Gives a link single addresses: nothing else is on the link by itself. */
export function addHostAddresses({ namespace, link }: End, addresses: readonly string[]): void {
  using route = inside(namespace, openRoute);
  for (const address of addresses) route.addAddress(link, `${address}/${hostPrefix(address)}`);
}

/** Sends what is for `destination` (an address or a CIDR) out by a link, by way of a gateway when given. */
export function routeTo({ namespace, link }: End, destination: string, gateway?: string): void {
  using route = inside(namespace, openRoute);
  const linkIndex = route.link(link)?.index ?? 0;
  const cidr = destination.includes('/') ? destination : `${destination}/${hostPrefix(destination)}`;
  route.replaceRoute({ destination: cidr, linkIndex, ...(gateway === undefined ? {} : { gateway }) });
}

/** Makes a namespace a router with a bridge `pods`, the first hop of Pods; returns the bridge's index. */
export function becomeNode(namespace: string | undefined, gateways: readonly string[]): number {
  return inside(namespace, () => {
    for (const name of ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding']) writeSysctl(name, '1');
    // The kernel sends a machine about one ICMP error a second; cases in quick succession need more.
    for (const name of ['net.ipv4.icmp_ratelimit', 'net.ipv6.icmp.ratelimit']) writeSysctl(name, '0');
    // Bridged packets pass the rules a second way wherever br_netfilter is loaded: the harder case.
    if (readSysctl('net.bridge.bridge-nf-call-iptables') !== undefined) {
      writeSysctl('net.bridge.bridge-nf-call-iptables', '1');
    }
    for (const which of ['all', 'default']) writeSysctl(`net.ipv4.conf.${which}.rp_filter`, '0');
    using route = openRoute();
    const hardwareAddress = randomHardwareAddress();
    const bridge = route.createLink({ kind: 'bridge', name: bridgeName, up: true, hardwareAddress });
    for (const gateway of gateways) route.addAddress(bridgeName, `${gateway}/${hostPrefix(gateway)}`);
    return bridge.index;
  });
}

const bridgeName = 'pods';

/** A Pod's namespace behind a node's bridge: everything it sends is routed by the node, nothing switched past its rules. */
export function joinPod(
  node: string | undefined,
  bridge: number,
  pod: { readonly namespace: string; readonly name: string; readonly addresses: readonly string[] },
  gateways: Addresses,
): void {
  const end = { namespace: pod.namespace, link: 'eth0' };
  joinByVeth({ namespace: node, link: `to-${pod.name}`, bridge }, end);
  // Neighbours on the bridge must not learn to answer each other past the node: that would be untranslated.
  inside(pod.namespace, () => {
    for (const place of ['ipv4.conf.all', 'ipv4.conf.eth0', 'ipv6.conf.eth0']) {
      writeSysctl(`net.${place}.accept_redirects`, '0');
    }
  });
  addHostAddresses(end, pod.addresses);
  for (const address of pod.addresses) routeTo({ namespace: node, link: bridgeName }, address);
  defaultRoutes(end, gateways);
}

/** Everything goes by these gateways. */
export function defaultRoutes(end: End, [ipv4, ipv6]: Addresses): void {
  routeTo(end, ipv4);
  routeTo(end, ipv6);
  routeTo(end, '0.0.0.0/0', ipv4);
  routeTo(end, '::/0', ipv6);
}

function inside<T>(namespace: string | undefined, work: () => T): T {
  return namespace === undefined ? work() : inNetworkNamespace(namespace, work);
}

function hostPrefix(address: string): number {
  return address.includes(':') ? 128 : 32;
}
