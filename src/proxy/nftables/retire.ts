import { setTimeout as delay } from 'node:timers/promises';
import { eachConnection, isTranslated } from '../../linux/conntrack.ts';
import { eachElement, findTable, listSets } from '../../linux/nftables/dump.ts';
import * as x from '../../linux/nftables/expressions.ts';
import type { SetSpec } from '../../linux/nftables/sets.ts';
import { Transaction } from '../../linux/nftables/transaction.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { formatIp, parseIp } from '../../lib/ip.ts';
import { retiresNoMore } from '../dataplane.ts';
import { type FamilyLayout, layouts, retiredTableName, shelfCount, shelfSet, spaces, tableName } from './schema.ts';

/** Connections are looked for this often, and never for more than a twentieth of the time. */
const lookMs = 1000;
const restPerLook = 20;
const protocols = [6, 17, 132] as const;

/**
 * Takes the tables out of service: no new connection is translated, those that are go on until they have ended or the
 * signal aborts. Needs nothing of the process that made the tables, and goes on where another one stopped.
 *
 * The kernel translates packets only while somebody has a chain for it, and tracks connections only while some rule asks
 * for them: when the last goes, every connection that was translated stalls. So a table stays with one chain, a rule that
 * changes nothing, and the addresses of the backends to wait for.
 */
export async function retireTables(socket: NetlinkSocket, signal: AbortSignal): Promise<void> {
  const transaction = new Transaction(socket);
  for (const layout of Object.values(layouts)) replaceTable(socket, transaction, layout);
  transaction.commit();
  while (!signal.aborted) {
    const startMs = performance.now();
    if (!Object.values(layouts).some((layout) => hasConnections(socket, layout))) break;
    const restMs = Math.max(lookMs, (performance.now() - startMs) * restPerLook);
    await delay(restMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
  if (signal.reason === retiresNoMore) return;
  const end = new Transaction(socket);
  deleteRetiredTables(socket, end);
  end.commit();
}

/** Takes away what a retirement left. */
export function deleteRetiredTables(socket: NetlinkSocket, transaction: Transaction): void {
  for (const { family } of Object.values(layouts)) {
    if (findTable(socket, family, retiredTableName) !== undefined) transaction.deleteTable(family, retiredTableName);
  }
}

/** `ct status dnat` (IPS_DST_NAT). */
const isTranslatedRule = [
  x.ct('status', 0),
  x.bitwise(0, 0, Buffer.from([0x20, 0, 0, 0]), Buffer.alloc(4)),
  x.compare(0, 'neq', Buffer.alloc(4)),
];

function backendsSpec(layout: FamilyLayout): SetSpec {
  return { name: 'backends', key: [layout.addressType] };
}

function replaceTable(socket: NetlinkSocket, transaction: Transaction, layout: FamilyLayout): void {
  const { family } = layout;
  if (findTable(socket, family, tableName) === undefined) return;
  const backends = new Set([...servingAddresses(socket, layout), ...retiredAddresses(socket, layout)]);
  transaction.deleteTable(family, tableName);
  transaction.addTable(family, retiredTableName, 'fairlead: lets connections to these backends end');
  transaction.addSet(family, retiredTableName, backendsSpec(layout));
  transaction.addChain(family, retiredTableName, {
    name: 'translate',
    hook: { type: 'nat', hook: 'prerouting', priority: -100 },
  });
  transaction.addRule(family, retiredTableName, 'translate', [...isTranslatedRule, x.verdict({ kind: 'accept' })]);
  const elements = [...backends].map((address) => ({ key: parseIp(address) ?? new Uint8Array(layout.addressBytes) }));
  transaction.addElements(family, retiredTableName, backendsSpec(layout), elements);
}

function servingAddresses(socket: NetlinkSocket, layout: FamilyLayout): Set<string> {
  const addresses = new Set<string>();
  const shelves = shelfCount(listSets(socket, layout.family, tableName));
  const onShelves = Array.from({ length: shelves }, (_, shelf) => shelfSet(spaces.address.backends, shelf));
  for (const set of [...onShelves, spaces.port.backends, spaces.range.backends]) {
    eachElement(socket, layout.family, tableName, set, ({ bytes, dataAt }) => {
      addresses.add(formatIp(bytes.subarray(dataAt, dataAt + layout.addressBytes)));
    });
  }
  return addresses;
}

function retiredAddresses(socket: NetlinkSocket, layout: FamilyLayout): Set<string> {
  const addresses = new Set<string>();
  eachElement(socket, layout.family, retiredTableName, 'backends', (element) => addresses.add(formatIp(element.key())));
  return addresses;
}

/** Whether a connection to one of the backends is still translated. */
function hasConnections(socket: NetlinkSocket, layout: FamilyLayout): boolean {
  const backends = retiredAddresses(socket, layout);
  if (backends.size === 0) return false;
  let found = false;
  const family = layout.family === 'ip' ? 'IPv4' : 'IPv6';
  for (const protocol of protocols) {
    eachConnection(socket, { family, protocol }, (connection) => {
      found ||= isTranslated(connection) && backends.has(connection.reply.source);
    });
  }
  return found;
}
