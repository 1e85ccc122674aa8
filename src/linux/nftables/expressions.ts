import type { MessageWriter } from '../netlink/message.ts';

/**
 * The expressions of nftables rules (linux/netfilter/nf_tables.h), each a function that returns what to write. A rule is
 * an ordered list of them; each loads, compares or stores registers, and a failed comparison or lookup ends the rule.
 *
 * Registers here are the 32-bit ones, numbered 0-15 as `NFT_REG32_00` and on. A concatenated key occupies consecutive
 * registers, each field rounded up to 4 bytes.
 */
export type Expression = (writer: MessageWriter) => void;

const LIST_ELEMENT = 1;
const EXPR_NAME = 1;
const EXPR_DATA = 2;
const DATA_VALUE = 1;
const DATA_VERDICT = 2;
const VERDICT_CODE = 1;
const VERDICT_CHAIN = 2;
const verdictRegister = 0;

const verdictCodes = { accept: 1, drop: 0, continue: -1, break: -2, jump: -3, goto: -4, return: -5 } as const;
const compareOps = { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 } as const;
const metaKeys = { mark: 3, iif: 4, oif: 5, iifname: 6, oifname: 7, nfproto: 15, l4proto: 16 } as const;
const ctKeys = { state: 0, direction: 1, status: 2, mark: 3, protoDst: 12, dstIp: 20, dstIp6: 22 } as const;
const payloadBases = { network: 1, transport: 2 } as const;
const dynsetOps = { add: 0, update: 1, delete: 2 } as const;
const NAT_MAP_ADDRESS = 1;
const NAT_MAP_PORT = 2;

/** What happens to the packet, or where its evaluation goes on. */
export type NftVerdict =
  | { readonly kind: 'accept' | 'drop' | 'continue' | 'break' | 'return' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string };

function register(index: number): number {
  if (index < 0 || index > 15) throw new RangeError(`there is no register ${index}`);
  return 8 + index;
}

function expression(name: string, data: (writer: MessageWriter) => void): Expression {
  return (writer) => {
    const element = writer.nest(LIST_ELEMENT);
    writer.attributeString(EXPR_NAME, name);
    const nest = writer.nest(EXPR_DATA);
    data(writer);
    writer.endNest(nest).endNest(element);
  };
}

/** Writes a value as nested `NFTA_DATA_VALUE` inside attribute `type`. */
export function writeValue(writer: MessageWriter, type: number, value: Uint8Array): void {
  const nest = writer.nest(type);
  writer.attribute(DATA_VALUE, value).endNest(nest);
}

/** Writes a verdict as nested `NFTA_DATA_VERDICT` inside attribute `type`. */
export function writeVerdict(writer: MessageWriter, type: number, verdict: NftVerdict): void {
  const data = writer.nest(type);
  const nest = writer.nest(DATA_VERDICT);
  writer.attributeU32be(VERDICT_CODE, verdictCodes[verdict.kind]);
  if ('chain' in verdict) writer.attributeString(VERDICT_CHAIN, verdict.chain);
  writer.endNest(nest).endNest(data);
}

/** Loads `length` bytes of the packet from `offset` of a header. */
export function payload(base: keyof typeof payloadBases, offset: number, length: number, to: number): Expression {
  return expression('payload', (writer) => {
    writer.attributeU32be(1, register(to)).attributeU32be(2, payloadBases[base]);
    writer.attributeU32be(3, offset).attributeU32be(4, length);
  });
}

/** Loads a fact about the packet that is not in it. */
export function meta(key: keyof typeof metaKeys, to: number): Expression {
  return expression('meta', (writer) => writer.attributeU32be(2, metaKeys[key]).attributeU32be(1, register(to)));
}

/** Stores a register as the packet's mark. */
export function setMark(from: number): Expression {
  return expression('meta', (writer) => writer.attributeU32be(2, metaKeys.mark).attributeU32be(3, register(from)));
}

/** Loads a fact about the connection; `original` picks that direction of the tuple. */
export function ct(key: keyof typeof ctKeys, to: number, direction?: 'original' | 'reply'): Expression {
  return expression('ct', (writer) => {
    writer.attributeU32be(2, ctKeys[key]).attributeU32be(1, register(to));
    if (direction !== undefined) writer.attributeU8(3, direction === 'original' ? 0 : 1);
  });
}

/** The type of an address according to the routing table: 2 is one of this machine's own. */
export function fibAddressType(of: 'source' | 'destination', to: number): Expression {
  return expression('fib', (writer) => {
    writer.attributeU32be(1, register(to)).attributeU32be(2, 3);
    writer.attributeU32be(3, of === 'source' ? 1 : 2);
  });
}

/** Ends the rule unless the register compares to `value`. */
export function compare(from: number, op: keyof typeof compareOps, value: Uint8Array): Expression {
  return expression('cmp', (writer) => {
    writer.attributeU32be(1, register(from)).attributeU32be(2, compareOps[op]);
    writeValue(writer, 3, value);
  });
}

/** Ends the rule unless the register is within (or, with `outside`, not within) the two bounds. */
export function range(from: number, low: Uint8Array, high: Uint8Array, outside = false): Expression {
  return expression('range', (writer) => {
    writer.attributeU32be(1, register(from)).attributeU32be(2, outside ? 1 : 0);
    writeValue(writer, 3, low);
    writeValue(writer, 4, high);
  });
}

/** `to = (from & mask) ^ xor`, on as many bytes as the mask has. */
export function bitwise(from: number, to: number, mask: Uint8Array, xor: Uint8Array): Expression {
  return expression('bitwise', (writer) => {
    writer.attributeU32be(1, register(from)).attributeU32be(2, register(to)).attributeU32be(3, mask.length);
    writeValue(writer, 4, mask);
    writeValue(writer, 5, xor);
  });
}

/** Ends the rule unless the key is (or, with `invert`, is not) an element; with `to`, loads the element's data. */
export function lookup(
  set: string,
  from: number,
  options: { readonly to?: number | 'verdict'; readonly invert?: boolean } = {},
): Expression {
  return expression('lookup', (writer) => {
    writer.attributeString(1, set).attributeU32be(2, register(from));
    if (options.to !== undefined) {
      writer.attributeU32be(3, options.to === 'verdict' ? verdictRegister : register(options.to));
    }
    writer.attributeU32be(5, options.invert === true ? 1 : 0);
  });
}

/** Loads a constant. */
export function immediate(to: number, value: Uint8Array): Expression {
  return expression('immediate', (writer) => {
    writer.attributeU32be(1, register(to));
    writeValue(writer, 2, value);
  });
}

/** Decides: ends the rule with a verdict. */
export function verdict(value: NftVerdict): Expression {
  return expression('immediate', (writer) => {
    writer.attributeU32be(1, verdictRegister);
    writeVerdict(writer, 2, value);
  });
}

/** A random (or counting) number below `modulus`, plus `offset`, in host order. */
export function numgen(to: number, modulus: number, options: { offset?: number; counting?: boolean } = {}): Expression {
  return expression('numgen', (writer) => {
    writer.attributeU32be(1, register(to)).attributeU32be(2, modulus);
    writer.attributeU32be(3, options.counting === true ? 0 : 1).attributeU32be(4, options.offset ?? 0);
  });
}

/** The Jenkins hash of `length` bytes of registers, below `modulus`, plus `offset`, in host order. */
export function hash(
  from: number,
  length: number,
  to: number,
  modulus: number,
  options: { readonly seed: number; readonly offset?: number },
): Expression {
  return expression('hash', (writer) => {
    writer.attributeU32be(1, register(from)).attributeU32be(2, register(to)).attributeU32be(3, length);
    writer.attributeU32be(4, modulus).attributeU32be(5, options.seed);
    writer.attributeU32be(6, options.offset ?? 0).attributeU32be(7, 0);
  });
}

/** Adds, refreshes or deletes an element of a dynamic set or map from registers; the time-out starts again. */
export function dynset(
  set: string,
  op: keyof typeof dynsetOps,
  key: number,
  options: { readonly data?: number; readonly timeoutMs?: number } = {},
): Expression {
  return expression('dynset', (writer) => {
    writer.attributeString(1, set).attributeU32be(3, dynsetOps[op]).attributeU32be(4, register(key));
    if (options.data !== undefined) writer.attributeU32be(5, register(options.data));
    if (options.timeoutMs !== undefined) writer.attributeU64be(6, BigInt(options.timeoutMs));
  });
}

/**
 * Rewrites the destination to the address and port in registers; without `portFrom` the port stays. Ends evaluation: the
 * connection is decided.
 */
export function dnat(family: 'ip' | 'ip6', addressFrom: number, portFrom?: number): Expression {
  return expression('nat', (writer) => {
    writer.attributeU32be(1, 1).attributeU32be(2, family === 'ip' ? 2 : 10);
    writer.attributeU32be(3, register(addressFrom)).attributeU32be(4, register(addressFrom));
    if (portFrom !== undefined) writer.attributeU32be(5, register(portFrom)).attributeU32be(6, register(portFrom));
    writer.attributeU32be(7, portFrom === undefined ? NAT_MAP_ADDRESS : NAT_MAP_ADDRESS | NAT_MAP_PORT);
  });
}

/** Rewrites the source to this machine's address on the way out, on a random port (NF_NAT_RANGE_PROTO_RANDOM_FULLY). */
export function masquerade(): Expression {
  return expression('masq', (writer) => writer.attributeU32be(1, 0x10));
}

/** Refuses: `reset` for TCP, `port-unreachable` (ICMP or ICMPv6) for anything. */
export function reject(how: 'reset' | 'port-unreachable', family: 'ip' | 'ip6'): Expression {
  return expression('reject', (writer) => {
    writer.attributeU32be(1, how === 'reset' ? 1 : 0);
    if (how === 'port-unreachable') writer.attributeU8(2, family === 'ip' ? 3 : 4);
  });
}

/** Keeps connection tracking away from the packet: neither an entry nor translation. Only before tracking (raw, -300). */
export function notrack(): Expression {
  return expression('notrack', () => undefined);
}

/** Counts packets and bytes from zero. */
export function counter(): Expression {
  return (writer) => {
    const element = writer.nest(LIST_ELEMENT);
    writeCounter(writer, 0n);
    writer.endNest(element);
  };
}

/** The inside of a counter expression that has seen `packets` already. */
export function writeCounter(writer: MessageWriter, packets: bigint): void {
  writer.attributeString(EXPR_NAME, 'counter');
  const nest = writer.nest(EXPR_DATA);
  writer.attributeU64be(1, 0n).attributeU64be(2, packets).endNest(nest);
}

/** Ends the rule for packets above `perSecond`. */
export function limit(perSecond: number, burst: number): Expression {
  return expression('limit', (writer) => {
    writer.attributeU64be(1, BigInt(perSecond)).attributeU64be(2, 1n).attributeU32be(3, burst);
    writer.attributeU32be(4, 0).attributeU32be(5, 0);
  });
}
