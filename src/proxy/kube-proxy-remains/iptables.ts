import { spawnSync } from 'node:child_process';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { findTable, listChains } from '../../linux/nftables/dump.ts';
import { listJumps } from '../../linux/nftables/jumps.ts';
import { type NftFamily, Transaction } from '../../linux/nftables/transaction.ts';

const families = ['ip', 'ip6'] as const;
const tables = ['nat', 'filter', 'mangle'] as const;
/** The kubelet's own; it makes them again, and firewalls look at them. */
const kubelets = new Set(['KUBE-FIREWALL', 'KUBE-MARK-DROP', 'KUBE-KUBELET-CANARY', 'KUBE-IPTABLES-HINT']);

function isKubeProxys(chain: string): boolean {
  return chain.startsWith('KUBE-') && !kubelets.has(chain);
}

/** Takes kube-proxy's chains out of the tables of iptables-nft, with the rules that lead there. Says what it removed. */
export function removeIptablesNft(socket: NetlinkSocket): readonly string[] {
  const removed: string[] = [];
  for (const family of families) {
    for (const table of tables) {
      const count = removeChains(socket, family, table);
      if (count > 0) removed.push(`${counted(count, 'chain')} of iptables in table ${family} ${table}`);
    }
  }
  return removed;
}

function removeChains(socket: NetlinkSocket, family: NftFamily, table: string): number {
  if (findTable(socket, family, table) === undefined) return 0;
  const chains = [...listChains(socket, family, table).keys()].filter(isKubeProxys);
  if (chains.length === 0) return 0;
  const transaction = new Transaction(socket);
  for (const { chain, handle, target } of listJumps(socket, family, table)) {
    if (isKubeProxys(target) && !isKubeProxys(chain)) transaction.deleteRule(family, table, chain, handle);
  }
  // They refer to one another, so all are emptied before the first one goes.
  for (const chain of chains) transaction.flushChain(family, table, chain);
  for (const chain of chains) transaction.deleteChain(family, table, chain);
  transaction.commit();
  return chains.length;
}

/** The same for the older iptables, through its programs where they are: the kernel has no other way to its tables. */
export function removeIptablesLegacy(): readonly string[] {
  const removed: string[] = [];
  for (const program of ['iptables-legacy', 'ip6tables-legacy']) {
    for (const table of tables) {
      const saved = spawnSync(`${program}-save`, ['-t', table], { encoding: 'utf8' });
      if (saved.status !== 0) continue;
      const { script, chains } = legacyRemoval(table, saved.stdout);
      if (chains === 0) continue;
      const restored = spawnSync(`${program}-restore`, ['--noflush'], { input: script, encoding: 'utf8' });
      if (restored.status !== 0) throw new Error(`${program}-restore: ${restored.stderr.trim()}`);
      removed.push(`${counted(chains, 'chain')} of ${program} in table ${table}`);
    }
  }
  return removed;
}

/** What `iptables-restore --noflush` takes to remove kube-proxy's part of what `iptables-save` printed. Pure. */
export function legacyRemoval(table: string, saved: string): { readonly script: string; readonly chains: number } {
  const lines = saved.split('\n');
  const chains = lines.map((line) => /^:(\S+)/.exec(line)?.[1] ?? '').filter((chain) => isKubeProxys(chain));
  const rules = lines.filter((line) => {
    const [, chain = '', target = ''] = /^-A (\S+) .*-[jg] (\S+)/.exec(line) ?? [];
    return isKubeProxys(target) && !isKubeProxys(chain);
  });
  const script = [
    `*${table}`,
    ...chains.map((chain) => `:${chain} - [0:0]`),
    ...rules.map((rule) => `-D${rule.slice(2)}`),
    ...chains.map((chain) => `-X ${chain}`),
    'COMMIT',
    '',
  ];
  return { script: script.join('\n'), chains: chains.length };
}

/** `1 chain`, `3 chains`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
