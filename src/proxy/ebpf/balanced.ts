import type { Frontend } from '../../routing/frontend.ts';
import { backendName } from '../backend-name.ts';
import { assignSlots, fillBuckets } from '../buckets.ts';
import { hashBuckets, hashText } from '../rendezvous.ts';
import {
  backendValue,
  bucketKey,
  type Endpoint,
  endpointKey,
  type FrontendEntry,
  frontendValue,
  isSocketProtocol,
  rangeKeys,
  slotKey,
} from './layout.ts';

/** A frontend as it stands in the maps. */
export interface Balanced {
  readonly called: Endpoint;
  readonly entry: FrontendEntry;
  /** Backend names by bucket. */
  readonly buckets: readonly string[];
  /** The numbers by which clients remember backends; undefined where none do. */
  readonly slots: ReadonlyMap<string, number> | undefined;
}

/** A key of a map with its value. */
export type Element = readonly [key: Buffer, value: Buffer];

/** Everything of one frontend, by map. */
export interface BalancedElements {
  readonly frontends: readonly Element[];
  readonly ranges: readonly Element[];
  readonly backends: readonly Element[];
}

/** Numbers for what is new: each is given once. */
export interface Numbers {
  generation(): number;
  number(): number;
}

/**
 * What the socket programs are to know of a frontend, so that as little as possible differs from what they know;
 * undefined when nftables decides: nothing to forward to, sources to look at, or a protocol without these hooks.
 */
export function balance(frontend: Frontend, previous: Balanced | undefined, numbers: Numbers): Balanced | undefined {
  const { family, address, port, protocol, lastPort, internal, sourceRanges, affinity, scheduler } = frontend;
  if (!isSocketProtocol(protocol) || internal.verdict !== 'forward' || sourceRanges !== undefined) return undefined;
  const buckets = bucketsOf(frontend, previous?.buckets ?? []);
  if (buckets.length === 0) return undefined;
  // Datagrams of a socket that is not connected stay together too.
  const isRemembered = affinity !== undefined || protocol === 'UDP';
  const slots = isRemembered ? assignSlots(previous?.slots ?? new Map(), [...new Set(buckets)]) : undefined;
  const isSame = previous !== undefined && isSameSpread(previous, { buckets, slots });
  return {
    called: { family, address, port, protocol },
    entry: {
      generation: isSame ? previous.entry.generation : numbers.generation(),
      number: previous?.entry.number ?? numbers.number(),
      buckets: buckets.length,
      affinitySeconds: affinity?.timeoutSeconds ?? 0,
      isByClient: scheduler === 'sh' || scheduler === 'mh',
      isInTurn: scheduler === 'rr' || scheduler === 'wrr',
      hasResets: frontend.resetAfterSeconds !== undefined,
      firstPort: port,
      lastPort,
    },
    buckets,
    slots,
  };
}

function bucketsOf({ internal, scheduler, address }: Frontend, previous: readonly string[]): readonly string[] {
  const shares = internal.backends.map((backend) => ({ name: backendName(backend), weight: backend.weight }));
  switch (scheduler) {
    case 'sh':
    case 'mh':
      return hashBuckets(shares);
    case 'dh':
      return hashBuckets(shares).filter((_, bucket, all) => bucket === hashText(address ?? '*') % all.length);
    case 'rr':
      return fillBuckets(
        previous,
        shares.map(({ name, weight }) => ({ name, weight: Math.sign(weight) })),
      );
    default:
      return fillBuckets(previous, shares);
  }
}

/** Whether two states are the same elements. */
export function isSameBalanced(a: Balanced, b: Balanced): boolean {
  return frontendValue(a.entry).equals(frontendValue(b.entry)) && isSameSpread(a, b);
}

function isSameSpread(a: Pick<Balanced, 'buckets' | 'slots'>, b: Pick<Balanced, 'buckets' | 'slots'>): boolean {
  if (a.buckets.length !== b.buckets.length || a.buckets.some((name, at) => name !== b.buckets[at])) return false;
  if (a.slots?.size !== b.slots?.size) return false;
  for (const [name, slot] of a.slots ?? []) if (b.slots?.get(name) !== slot) return false;
  return true;
}

/** The entries of a frontend in the maps. Pure: the same state always has the same. */
export function elementsOf(balanced: Balanced): BalancedElements {
  const { called, entry } = balanced;
  const value = frontendValue(entry);
  const isRange = entry.lastPort !== undefined;
  return {
    frontends: isRange ? [] : [[endpointKey(called), value]],
    ranges: entry.lastPort === undefined ? [] : rangeKeys(called, entry.lastPort).map((key) => [key, value]),
    backends: backendElements(balanced),
  };
}

function backendElements({ entry: { generation }, buckets, slots }: Balanced): Element[] {
  const values = new Map<string, Buffer>();
  for (const name of buckets) if (!values.has(name)) values.set(name, backendValue(name, slots?.get(name) ?? 0));
  const valueOf = (name: string) => values.get(name) ?? backendValue(name, 0);
  const elements = buckets.map((name, bucket): Element => [bucketKey(generation, bucket), valueOf(name)]);
  for (const [name, slot] of slots ?? []) elements.push([slotKey(generation, slot), valueOf(name)]);
  return elements;
}
