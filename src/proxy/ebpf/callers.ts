import { type Cidr, cidrContains, parseCidr } from '../../lib/cidr.ts';
import { familyOf, isLinkLocal, isLoopback, parseIp } from '../../lib/ip.ts';
import { inEachNetworkNamespace } from '../../linux/network-namespaces.ts';
import { networkCookie } from '../../linux/network-cookie.ts';
import { openRoute, type RouteSocket } from '../../linux/route.ts';
import type { Frontend } from '../../routing/frontend.ts';
import type { NodeNetwork } from '../dataplane.ts';
import { hashText } from '../rendezvous.ts';
import type { Element } from './balanced.ts';
import { addressKey, callerValue, cookieKey } from './layout.ts';

/**
 * Whose calls the socket programs look at: processes in the node's own network namespace and in those of its Pods. A
 * namespace that is neither (a container of another kind, another cluster's node in a test) goes its own way through
 * nftables, as do Pods when backends are to see the node's address in their place.
 */
export function findCallers(network: NodeNetwork): Element[] {
  const callers: Element[] = [];
  let isPod: ((route: RouteSocket) => boolean) | undefined;
  // The thread's own namespace, the node's, comes first.
  inEachNetworkNamespace(() => {
    using route = openRoute();
    const isNode = isPod === undefined;
    isPod ??= podTest(network, route);
    if (isNode || isPod(route)) callers.push([cookieKey(networkCookie()), callerValue(isNode, hashes(route))]);
  });
  return callers;
}

/** A Pod is known by an address in the node's range, or by a link that leads to one of the node's links for Pods. */
function podTest(
  { podCidrs, podLinks = [], masqueradeAll }: NodeNetwork,
  node: RouteSocket,
): (pod: RouteSocket) => boolean {
  if (masqueradeAll === true) return () => false;
  if (podLinks.length === 0) {
    const ranges = cidrsOf(podCidrs);
    return (pod) => pod.addresses().some(({ address }) => ranges.some((range) => cidrContains(range, address)));
  }
  const links = node.links();
  const named = new Set(links.filter(({ name }) => isNamed(podLinks, name)).map(({ index }) => index));
  const ends = new Set(
    links.filter((link) => named.has(link.index) || named.has(link.master)).map(({ index }) => index),
  );
  return (pod) => pod.links().some(({ kind, other }) => kind === 'veth' && ends.has(other));
}

function isNamed(patterns: readonly string[], name: string): boolean {
  return patterns.some((each) => (each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : name === each));
}

/** A client is its first address that others can see: it stays the same when its Pod's namespace is made anew. */
function hashes(route: RouteSocket): Record<Frontend['family'], number> {
  const addresses = route.addresses().map(({ address }) => address);
  const hashOf = (family: Frontend['family']) => {
    const own = addresses.find((address) => familyOf(address) === family && !isOnlyLocal(address));
    return own === undefined ? 0 : hashText(own);
  };
  return { IPv4: hashOf('IPv4'), IPv6: hashOf('IPv6') };
}

function isOnlyLocal(address: string): boolean {
  const bytes = parseIp(address) ?? new Uint8Array();
  return isLoopback(bytes) || isLinkLocal(bytes);
}

/** Ranges and single addresses. */
export function cidrsOf(texts: readonly string[]): Cidr[] {
  const ranges = texts.map((text) => parseCidr(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`));
  return ranges.filter((range) => range !== undefined);
}

/** The addresses on which node ports answer, with 1 for those that only the node's own processes can call. */
export function findNodeAddresses(network: NodeNetwork): Element[] {
  using route = openRoute();
  const ranges = cidrsOf(network.nodePortAddresses);
  return route.addresses().flatMap(({ address }): Element[] => {
    const bytes = parseIp(address) ?? new Uint8Array();
    const isInRange = ranges.some((range) => cidrContains(range, bytes));
    const isLocal = isLoopback(bytes);
    const isServed = isLocal ? isInRange || network.nodePortLocalhost === true : ranges.length === 0 || isInRange;
    // The same link-local address may be on several links.
    if (!isServed || isLinkLocal(bytes)) return [];
    const value = Buffer.alloc(4);
    value.writeUInt32LE(Number(isLocal));
    return [[addressKey(address), value]];
  });
}
