import { openRoute } from '../../linux/route.ts';
import { openTun } from '../../linux/tun.ts';
import type { TunLink } from '../../linux/tun.ts';
import { isBoundByOthers } from '../../linux/udp-sockets.ts';
import type { Logger } from '../../observe/log.ts';
import type { SocketAddress } from '../config.ts';

/** At most 15 bytes with the number. */
const linkPattern = 'fairlead-dns%d';

/** The addresses of a node cache, until disposed of. */
export interface TakenAddresses extends Disposable {
  /** Whether only a process that may change networks can give them back. */
  readonly needsRights: boolean;
}

/**
 * Gives this machine the addresses, on a link of this process's own. Each process of an upgrade has one: an address is there
 * until the last of them ends, in whatever way. Where the kernel has no TUN links they go on `lo`, and stay there when the
 * process is killed, for the next one. Throws `SystemError` when an address cannot be had.
 */
export function takeAddresses(wanted: readonly SocketAddress[], logger: Logger): TakenAddresses {
  const link = openLink(logger);
  const name = link?.name ?? 'lo';
  try {
    using route = openRoute();
    // A link that is down has no local routes; IPv6 needs no address of its own on it.
    route.setLink(name, { up: true });
    for (const { address } of wanted) route.addAddress(name, address);
  } catch (error) {
    link?.[Symbol.dispose]();
    throw error;
  }
  logger.info('took the addresses of the node cache', { link: name, addresses: wanted.map(({ address }) => address) });
  return {
    needsRights: link === undefined,
    [Symbol.dispose]: () => (link === undefined ? leaveLoopback(wanted) : link[Symbol.dispose]()),
  };
}

function openLink(logger: Logger): TunLink | undefined {
  try {
    return openTun(linkPattern);
  } catch (error) {
    logger.warn('no TUN links here: the addresses go on lo, and stay there if this process is killed', { error });
    return undefined;
  }
}

/** Leaves an address to a process that answers there already. */
function leaveLoopback(addresses: readonly SocketAddress[]): void {
  using route = openRoute();
  const lo = route.link('lo')?.index;
  for (const { address, port } of addresses) {
    const isThere = route.addresses().some((each) => each.address === address && each.linkIndex === lo);
    if (isThere && !isBoundByOthers(address, port)) route.deleteAddress('lo', address);
  }
}
