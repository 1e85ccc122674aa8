import { parseCidr } from '../../lib/cidr.ts';
import type { Cidr } from '../../lib/cidr.ts';
import { findTable, openNetfilter } from '../../linux/nftables/dump.ts';
import * as x from '../../linux/nftables/expressions.ts';
import type { Expression } from '../../linux/nftables/expressions.ts';
import { Transaction } from '../../linux/nftables/transaction.ts';
import type { AgentNetwork } from '../config.ts';

const table = 'fairlead-pods';
const chain = 'postrouting';
/** Offsets of the addresses in the IPv4 header. */
const source = 12;
const destination = 16;

/**
 * Lets Pods reach what lies outside the cluster: their packets leave with the node's address. A table of its own, for
 * nobody knows Pods by their address out there; anything else of nftables stays as it is.
 */
export function installMasquerade({ podCidr, clusterCidr, serviceCidr }: AgentNetwork): void {
  using socket = openNetfilter();
  const old = findTable(socket, 'ip', table);
  const change = new Transaction(socket);
  if (old !== undefined) change.deleteTable('ip', table);
  change.addTable('ip', table, 'Pod traffic that leaves the cluster');
  change.addChain('ip', table, { name: chain, hook: { type: 'nat', hook: 'postrouting', priority: 110 } });
  const rule = [
    ...inside(source, podCidr, 'eq'),
    ...inside(destination, clusterCidr, 'neq'),
    ...inside(destination, serviceCidr, 'neq'),
    x.masquerade(),
  ];
  change.addRule('ip', table, chain, rule);
  change.commit();
}

/** Takes the table away; without effect when there is none. */
export function removeMasquerade(): void {
  using socket = openNetfilter();
  if (findTable(socket, 'ip', table) === undefined) return;
  const change = new Transaction(socket);
  change.deleteTable('ip', table);
  change.commit();
}

function inside(offset: number, cidrText: string, op: 'eq' | 'neq'): readonly Expression[] {
  const cidr = parseCidr(cidrText);
  if (cidr === undefined || cidr.family !== 'IPv4') throw new RangeError(`${cidrText} is not an IPv4 CIDR`);
  const mask = maskOf(cidr);
  return [x.payload('network', offset, 4, 0), x.bitwise(0, 0, mask, Buffer.alloc(4)), x.compare(0, op, cidr.base)];
}

function maskOf({ prefix }: Cidr): Buffer {
  const mask = Buffer.alloc(4);
  mask.writeUInt32BE(prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0);
  return mask;
}
