import { randomBytes } from 'node:crypto';
import { parseIp } from '../../lib/ip.ts';
import { listDroppingChains } from '../../linux/nftables/base-chains.ts';
import { openNetfilter } from '../../linux/nftables/dump.ts';
import * as nft from '../../linux/nftables/expressions.ts';
import { type Hook, type NftFamily, Transaction } from '../../linux/nftables/transaction.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import type { Logger } from '../../observe/log.ts';
import type { SocketAddress } from '../config.ts';

/** Before connection tracking (-200), and so before all translation. */
const rawPriority = -300;
const protocols = { udp: 17, tcp: 6 } as const;
/** Where addresses are in the header, and how long. */
const layouts = {
  ip: { source: 12, destination: 16, length: 4 },
  ip6: { source: 8, destination: 24, length: 16 },
} as const;

/**
 * Keeps connection tracking away from questions to these addresses, and from their answers: no entries, no races between
 * two questions of one socket, and no translation of a Service's address by the node proxy. The rules are in a table of
 * this process's own, which the kernel takes away when the process ends, in whatever way: from then on packets pass as if
 * it had never been. Two processes with the same rules do not disturb each other. Where there are no such tables (before
 * Linux 5.12, without CAP_NET_ADMIN) it says so and leaves everything tracked.
 */
export function keepUntracked(addresses: readonly SocketAddress[], logger: Logger): Disposable {
  const socket = openNetfilter();
  try {
    const change = new Transaction(socket);
    const table = `fairlead-dns-${randomBytes(4).toString('hex')}`;
    for (const family of ['ip', 'ip6'] as const) {
      const own = addresses.filter((each) => familyOf(each) === family);
      if (own.length > 0) writeTable(change, family, table, own);
    }
    change.commit();
    warnOfDrops(socket, addresses, logger);
    logger.info('questions to the node cache are not tracked', { table });
  } catch (error) {
    logger.warn('questions to the node cache stay tracked: no table that ends with this process', { error });
  }
  return socket;
}

function familyOf({ address }: SocketAddress): NftFamily {
  return address.includes(':') ? 'ip6' : 'ip';
}

function writeTable(change: Transaction, family: NftFamily, table: string, addresses: readonly SocketAddress[]): void {
  change.addTable(family, table, 'fairlead dns: the node cache is not tracked', { owned: true });
  for (const hook of ['prerouting', 'output'] as const) {
    const chain: Hook = { type: 'filter', hook, priority: rawPriority };
    change.addChain(family, table, { name: hook, hook: chain });
  }
  for (const where of addresses) {
    for (const protocol of ['udp', 'tcp'] as const) {
      change.addRule(family, table, 'prerouting', ruleFor(family, 'destination', protocol, where));
      change.addRule(family, table, 'output', ruleFor(family, 'destination', protocol, where));
      change.addRule(family, table, 'output', ruleFor(family, 'source', protocol, where));
    }
  }
}

/** Packets to (or from) the address and port. */
function ruleFor(
  family: NftFamily,
  side: 'source' | 'destination',
  protocol: keyof typeof protocols,
  { address, port }: SocketAddress,
): nft.Expression[] {
  const bytes = parseIp(address);
  if (bytes === undefined) throw new RangeError(`"${address}" is no address`);
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  return [
    nft.meta('l4proto', 0),
    nft.compare(0, 'eq', Uint8Array.of(protocols[protocol])),
    nft.payload('network', layouts[family][side], layouts[family].length, 0),
    nft.compare(0, 'eq', bytes),
    nft.payload('transport', side === 'source' ? 0 : 2, 2, 0),
    nft.compare(0, 'eq', portBytes),
    nft.counter(),
    nft.notrack(),
  ];
}

/** Chains that accept only what belongs to a tracked connection would drop these packets, and no rule of ours can help. */
function warnOfDrops(socket: NetlinkSocket, addresses: readonly SocketAddress[], logger: Logger): void {
  for (const family of new Set(addresses.map(familyOf))) {
    for (const hook of ['input', 'output'] as const) {
      for (const chain of listDroppingChains(socket, hook, family)) {
        logger.warn('a chain drops what none of its rules accepts: it must accept DNS to and from the node cache', {
          hook,
          ...chain,
        });
      }
    }
  }
}
