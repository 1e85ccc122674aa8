import { findTable, openNetfilter } from '../linux/nftables/dump.ts';
import { Transaction } from '../linux/nftables/transaction.ts';
import { tableName } from './nftables/schema.ts';

const families = ['ip', 'ip6'] as const;

/** Whether a proxy left its tables. False without the privilege to look. */
export function hasNftablesTables(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    using socket = openNetfilter();
    return families.some((family) => findTable(socket, family, tableName) !== undefined);
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
  const left = families.filter((family) => findTable(socket, family, tableName) !== undefined);
  if (left.length === 0) return;
  for (const family of left) transaction.deleteTable(family, tableName);
  transaction.commit();
}
