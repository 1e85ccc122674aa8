import { isLoopback, isUnspecified, parseIp } from '../../lib/ip.ts';
import type { SocketAddress } from '../config.ts';

/** Whether a resolver's address is one we listen on: asking it would be asking ourselves. */
export function isOwnAddress(upstream: SocketAddress, listening: readonly SocketAddress[]): boolean {
  return listening.some(({ address, port }) => port === upstream.port && isSameHost(upstream.address, address));
}

function isSameHost(upstream: string, listening: string): boolean {
  const asked = parseIp(upstream);
  const own = parseIp(listening);
  if (asked === undefined || own === undefined) return false;
  return Buffer.compare(asked, own) === 0 || (isUnspecified(own) && (isLoopback(asked) || isUnspecified(asked)));
}
