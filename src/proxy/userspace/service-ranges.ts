import { setTimeout as delay } from 'node:timers/promises';
import { cidrContains, parseCidr } from '../../lib/cidr.ts';
import { isErrno } from '../../linux/errno.ts';
import { openRoute } from '../../linux/route.ts';
import { listConnections, openSockDiag } from '../../linux/sock-diag.ts';
import { type Dataplane, type NodeNetwork, retiresNoMore } from '../dataplane.ts';
import { isOnLoopback } from '../node-facts.ts';

/** How often it is looked whether connections still need the addresses of a plane that retires. */
const retiringMs = 500;

/**
 * Makes the IPv4 addresses of Services this machine's own, so that the userspace plane can listen on them and Pods reach
 * it there (an IPv6 socket cannot be bound to such an address). Without CAP_NET_ADMIN nothing is made: what is no loopback
 * address is refused, frontend by frontend.
 */
export function withServiceRanges(plane: Dataplane, { serviceCidrs }: NodeNetwork): Dataplane {
  const ranges = serviceCidrs.filter(isElsewhere);
  if (ranges.length === 0) return plane;
  return {
    ...plane,
    adopt(desired) {
      addRanges(ranges);
      return plane.adopt(desired);
    },
    async remove() {
      await plane.remove();
      removeRanges();
    },
    async retire(signal) {
      await plane.retire(signal);
      if (signal.reason !== retiresNoMore) removeRanges();
    },
  };
}

/** Whether this machine has addresses that a plane made its own, whichever process it was. */
export function hasServiceRanges(): boolean {
  using route = openRoute();
  return route.localRanges().length > 0;
}

/** Takes the addresses away when no connection needs them any more, or the signal aborts. */
export async function retireServiceRanges(signal: AbortSignal): Promise<void> {
  while (!signal.aborted && areNeeded()) {
    await delay(retiringMs, undefined, { signal }).catch(() => undefined);
  }
  if (signal.reason !== retiresNoMore) removeRanges();
}

function isElsewhere(range: string): boolean {
  return parseCidr(range)?.family === 'IPv4' && !isOnLoopback(range);
}

function addRanges(ranges: readonly string[]): void {
  using route = openRoute();
  try {
    const there = route.localRanges();
    for (const range of ranges) if (!there.includes(range)) route.addLocalRange(range);
  } catch (error) {
    if (!isErrno(error, 'EPERM')) throw error;
  }
}

function removeRanges(): void {
  using route = openRoute();
  for (const range of route.localRanges()) route.deleteLocalRange(range);
}

function areNeeded(): boolean {
  using route = openRoute();
  using socket = openSockDiag();
  const ranges = route.localRanges().flatMap((range) => parseCidr(range) ?? []);
  return listConnections(socket).some(({ local }) => ranges.some((range) => cidrContains(range, local.address)));
}
