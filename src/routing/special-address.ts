import { isIpv4Mapped, isLinkLocal, isLoopback, isMulticast, isUnspecified, parseIp } from '../lib/ip.ts';

/** The first numbers of private ranges: nearly every address begins so, and none of those is special. */
const ordinary = /^1(0|72|92)\./;

/**
 * What keeps an address from being one of a Service or of an endpoint: `a loopback address`; undefined when nothing does.
 * The argument is an address. Traffic to these means something else on every node: taken over for a Service, it would cut
 * the node off from itself. Kubernetes refuses them where they are written (ValidateNonSpecialIP, KEP-4858); a server that
 * validates nothing, or wrote them long ago, does not.
 */
export function specialKindOf(address: string, allowLoopback: boolean): string | undefined {
  if (ordinary.test(address)) return undefined;
  const bytes = parseIp(address) ?? new Uint8Array(4);
  if (isUnspecified(bytes)) return 'the unspecified address';
  if (isLoopback(bytes) && !allowLoopback) return 'a loopback address';
  if (isLinkLocal(bytes)) return 'a link-local address';
  if (isMulticast(bytes)) return 'a multicast address';
  if (isIpv4Mapped(bytes)) return 'an IPv4-mapped address';
  return address === '255.255.255.255' ? 'the broadcast address' : undefined;
}
