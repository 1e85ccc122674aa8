import { eachAttribute, readAttributes, readString } from '../netlink/message.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import type { NftFamily } from './transaction.ts';

const GET_RULE = (10 << 8) | 7;
const RULE = { table: 1, chain: 2, handle: 3, expressions: 4 } as const;
const familyNumbers = { ip: 2, ip6: 10 } as const;

/** A rule that leads to another chain. */
export interface Jump {
  readonly chain: string;
  readonly handle: bigint;
  readonly target: string;
}

/** The rules of a table that jump or go to a chain; also those that iptables wrote. None when there is no such table. */
export function listJumps(socket: NetlinkSocket, family: NftFamily, table: string): readonly Jump[] {
  const jumps: Jump[] = [];
  socket.dump(
    GET_RULE,
    'list rules',
    (writer) => writer.u8(familyNumbers[family]).u8(0).u16be(0).attributeString(RULE.table, table),
    ({ payload }) => {
      const attributes = readAttributes(payload, 4);
      if (readString(attributes.get(RULE.table)) !== table) return;
      const target = targetOf(attributes.get(RULE.expressions));
      const handle = attributes.get(RULE.handle)?.readBigUInt64BE(0) ?? 0n;
      if (target !== undefined) jumps.push({ chain: readString(attributes.get(RULE.chain)), handle, target });
    },
  );
  return jumps;
}

/** The chain named by the verdict of an `immediate` expression (NFTA_IMMEDIATE_DATA, NFTA_DATA_VERDICT, its chain). */
function targetOf(expressions: Buffer | undefined): string | undefined {
  let target: string | undefined;
  if (expressions === undefined) return undefined;
  eachAttribute(expressions, 0, (_, expression) => {
    const { 1: name, 2: data } = Object.fromEntries(readAttributes(expression, 0));
    if (data === undefined || readString(name) !== 'immediate') return;
    const verdict = nested(nested(data, 2), 2);
    const chain = verdict && readAttributes(verdict, 0).get(2);
    if (chain !== undefined) target = readString(chain);
  });
  return target;
}

function nested(attributes: Buffer | undefined, type: number): Buffer | undefined {
  return attributes && readAttributes(attributes, 0).get(type);
}
