import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { openRoute } from '../../linux/route.ts';
import { openTun } from '../../linux/tun.ts';
import type { TunLink } from '../../linux/tun.ts';
import type { Logger } from '../../observe/log.ts';
import type { SocketAddress } from '../config.ts';

/** At most 15 bytes with the number. */
const linkPattern = 'fairlead-dns%d';

/**
 * Gives this machine the addresses, on a link of this process's own. Each process of an upgrade has one: an address is there
 * until the last of them ends, in whatever way. Where the kernel has no TUN links they go on `lo`, and stay there when the
 * process is killed, for the next one. Throws `SystemError` when an address cannot be had.
 */
export function takeAddresses(wanted: readonly SocketAddress[], logger: Logger): AsyncDisposable {
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
    async [Symbol.asyncDispose]() {
      if (link === undefined) await leaveLoopback(wanted);
      else link[Symbol.dispose]();
    },
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

async function leaveLoopback(addresses: readonly SocketAddress[]): Promise<void> {
  for (const where of addresses) {
    if (await isAnswered(where)) continue;
    using route = openRoute();
    const lo = route.link('lo')?.index;
    // The address may be gone already, by hand.
    if (route.addresses().some(({ address, linkIndex }) => address === where.address && linkIndex === lo)) {
      route.deleteAddress('lo', where.address);
    }
  }
}

/** Whether a process of this machine has a UDP socket at the address. Rejects with EADDRNOTAVAIL for one not of here. */
export async function isAnswered({ address, port }: SocketAddress): Promise<boolean> {
  const socket = createSocket(address.includes(':') ? { type: 'udp6', ipv6Only: true } : 'udp4');
  try {
    socket.bind(port, address);
    await once(socket, 'listening');
    return false;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return true;
    throw error;
  } finally {
    socket.close();
  }
}
