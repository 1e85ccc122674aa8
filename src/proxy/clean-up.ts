import { findTable, openNetfilter } from '../linux/nftables/dump.ts';
import { Transaction } from '../linux/nftables/transaction.ts';
import { retiredTableName, tableName } from './nftables/schema.ts';

const ownTables = [tableName, retiredTableName].flatMap((name) =>
  (['ip', 'ip6'] as const).map((family) => ({ family, name })),
);

/** Whether a proxy left its tables. False without the privilege to look. */
export function hasNftablesTables(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    using socket = openNetfilter();
    return ownTables.some(({ family, name }) => findTable(socket, family, name) !== undefined);
  } catch {
    return false;
  }
}

/**
 * Takes away the tables that a proxy left which is no longer there to do it. Needs no knowledge of Services; without
 * effect when there are none. Throws the kernel's error without the privilege.
 */
export function cleanUpNftables(): void {
  using socket = openNetfilter();
  const transaction = new Transaction(socket);
  for (const { family, name } of ownTables) {
    if (findTable(socket, family, name) !== undefined) transaction.deleteTable(family, name);
  }
  transaction.commit();
}
