import { readAttributes, readString } from '../netlink/message.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';

const GET_CHAIN = (10 << 8) | 4;
const CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, POLICY: 5 } as const;
const HOOK_NUMBER = 1;
const NF_DROP = 0;
const hookNumbers = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
const families = new Map([
  [1, 'inet'],
  [2, 'ip'],
  [10, 'ip6'],
]);

/** A chain that the kernel's packets of a hook pass. */
export interface BaseChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
}

/**
 * Chains of any table (those of `iptables-nft` too) that drop what none of their rules accepts, at a hook for packets of an
 * IP family. What their rules accept is not looked at.
 */
export function listDroppingChains(
  socket: NetlinkSocket,
  hook: keyof typeof hookNumbers,
  ipFamily: 'ip' | 'ip6',
): readonly BaseChain[] {
  const found: BaseChain[] = [];
  socket.dump(
    GET_CHAIN,
    'list chains',
    (writer) => writer.u8(0).u8(0).u16be(0),
    ({ payload }) => {
      const family = families.get(payload.readUInt8(0));
      const attributes = readAttributes(payload, 4);
      const hooked = attributes.get(CHAIN.HOOK);
      const number = hooked && readAttributes(hooked).get(HOOK_NUMBER)?.readUInt32BE(0);
      const isOurs = family === 'inet' || family === ipFamily;
      if (!isOurs || number !== hookNumbers[hook] || attributes.get(CHAIN.POLICY)?.readUInt32BE(0) !== NF_DROP) return;
      found.push({
        family,
        table: readString(attributes.get(CHAIN.TABLE)),
        name: readString(attributes.get(CHAIN.NAME)),
      });
    },
  );
  return found;
}
