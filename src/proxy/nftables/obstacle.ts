import { release } from 'node:os';
import { openNetfilter } from '../../linux/nftables/dump.ts';
import { Transaction } from '../../linux/nftables/transaction.ts';
import { errorText } from '../../observe/log.ts';
import { addTrial } from './ruleset.ts';
import { layouts } from './schema.ts';

/** The first kernel whose nftables has everything the rules use. */
const oldestKernel = [5, 13] as const;

/**
 * Why the nftables plane cannot run here; undefined when it can. Nothing is changed: the rules are loaded and taken away
 * in one transaction.
 */
export function nftablesObstacle(): string | undefined {
  if (process.platform !== 'linux') return `nftables is part of Linux, and this is ${process.platform}`;
  if (isOlder(release())) return `nftables needs Linux ${oldestKernel.join('.')}, and this is ${release()}`;
  try {
    tryRules();
    return undefined;
  } catch (error) {
    const denied = error instanceof Error && 'code' in error && error.code === 'EPERM';
    return denied ? 'no privilege to change nftables (not root, no CAP_NET_ADMIN)' : `nftables: ${errorText(error)}`;
  }
}

/** Whether a kernel release such as `6.1.0-28-amd64` is before the oldest that will do. */
function isOlder(text: string): boolean {
  const [major = 0, minor = 0] = text.split('.').map((part) => Number.parseInt(part, 10));
  return major < oldestKernel[0] || (major === oldestKernel[0] && minor < oldestKernel[1]);
}

/** Loads everything the IPv4 table may contain under another name, and deletes it in the same transaction. */
function tryRules(): void {
  using socket = openNetfilter();
  const transaction = new Transaction(socket);
  addTrial(transaction, layouts.ip, `fairlead-probe-${process.pid}`);
  transaction.commit();
}
