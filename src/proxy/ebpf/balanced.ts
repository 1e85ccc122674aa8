import type { Frontend } from '../../routing/frontend.ts';
import { backendName } from '../backend-name.ts';
import { assignSlots, fillBuckets } from '../buckets.ts';
import { hashBuckets, hashText } from '../rendezvous.ts';
import {
  backendValue,
  bucketKey,
  type Endpoint,
  endpointKey,
  firstBuckets,
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

/** Numbers for what is new: each is given once, but a place in `counters` again when nobody has it. */
export interface Numbers {
  generation(): number;
  number(): number;
  counter(): number;
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
      counter: previous?.entry.counter ?? numbers.counter(),
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
  const { called, entry, buckets, slots } = balanced;
  const { generation, lastPort } = entry;
  const valueOf = valuesOf(balanced);
  const value = frontendValue(entry, buckets.slice(0, firstBuckets).map(valueOf));
  const backends = buckets
    .slice(firstBuckets)
    .map((name, at): Element => [bucketKey(generation, firstBuckets + at), valueOf(name)]);
  for (const [name, slot] of slots ?? []) backends.push([slotKey(generation, slot), valueOf(name)]);
  return {
    frontends: lastPort === undefined ? [[endpointKey(called), value]] : [],
    ranges: lastPort === undefined ? [] : rangeKeys(called, lastPort).map((key) => [key, value]),
    backends,
  };
}

/** Makes the value of each backend once. */
function valuesOf({ slots }: Balanced): (name: string) => Buffer {
  const values = new Map<string, Buffer>();
  return (name) => {
    const known = values.get(name);
    if (known !== undefined) return known;
    const value = backendValue(name, slots?.get(name) ?? 0);
    values.set(name, value);
    return value;
  };
}

/** How many entries of `backends` a frontend has with this many buckets and slots. */
export function backendEntries(buckets: number, slots: number): number {
  return Math.max(0, buckets - firstBuckets) + slots;
}
