import type { BpfMap } from '../../linux/bpf/map.ts';
import { frontendKey, type FrontendKey } from '../../routing/frontend.ts';
import type { Balanced } from './balanced.ts';
import type { TableName } from './changes.ts';
import {
  type Endpoint,
  firstBuckets,
  type FrontendEntry,
  rangeKeys,
  readBackendValue,
  readEndpoint,
  readFirstBackends,
  readFrontendValue,
  readPlaceKey,
  readRangeKey,
} from './layout.ts';

/** What `backends` has of a frontend. */
interface Spread {
  /** Holes until all are read, and where the frontend's own entry has them. */
  readonly buckets: string[];
  slots: Map<string, number> | undefined;
}

/** Reads back the frontends that are whole. Who only looks may do so while another process writes. */
export function readBalanced(maps: Readonly<Record<TableName, BpfMap>>): Map<FrontendKey, Balanced> {
  const spreads = readSpreads(maps.backends);
  const balanced = new Map<FrontendKey, Balanced>();
  const note = (called: Endpoint, value: Buffer): void => {
    const entry = readFrontendValue(value);
    const { buckets: others, slots } = spreads.get(entry.generation) ?? { buckets: [], slots: undefined };
    const buckets = [...readFirstBackends(value), ...others.slice(firstBuckets)];
    if (isWhole(buckets, slots, entry)) balanced.set(keyOf(called), { called, entry, buckets, slots });
  };
  maps.frontends.each((key, value) => note(readEndpoint(key), value));
  // A part of a range, as the whole of it.
  maps.ranges.each((key, value) => note({ ...readRangeKey(key), port: readFrontendValue(value).firstPort }, value));
  return balanced;
}

/** Those that may change and go without another one's backends: each has a generation of its own. */
export function independent(balanced: ReadonlyMap<FrontendKey, Balanced>): Map<FrontendKey, Balanced> {
  const counts = new Map<number, number>();
  for (const { entry } of balanced.values()) counts.set(entry.generation, (counts.get(entry.generation) ?? 0) + 1);
  return new Map([...balanced].filter(([, { entry }]) => counts.get(entry.generation) === 1));
}

function keyOf({ family, address, port, protocol }: Endpoint): FrontendKey {
  return frontendKey(family, address, port, protocol);
}

/** Backends by generation. */
function readSpreads(backends: BpfMap): Map<number, Spread> {
  const spreads = new Map<number, Spread>();
  backends.each((key, value) => {
    const { generation, index, isSlot } = readPlaceKey(key);
    let spread = spreads.get(generation);
    if (spread === undefined) spreads.set(generation, (spread = { buckets: [], slots: undefined }));
    const name = readBackendValue(value);
    if (isSlot) (spread.slots ??= new Map()).set(name, index);
    else spread.buckets[index] = name;
  });
  return spreads;
}

function isWhole(buckets: readonly string[], slots: Spread['slots'], entry: FrontendEntry): boolean {
  if (buckets.length === 0 || buckets.length !== entry.buckets) return false;
  // Not every(): that leaves out holes.
  for (let bucket = 0; bucket < buckets.length; bucket += 1) {
    const name = buckets[bucket];
    if (name === undefined || slots?.has(name) === false) return false;
  }
  return true;
}

/** Maps in which something may be nobody's; a counter has its place whether somebody has it or not. */
type Orphaned = Exclude<TableName, 'counters'>;

/** Keys of everything that none of the frontends has: of no use to anyone. Their generations must be their own. */
export function orphansOf(
  maps: Readonly<Record<Orphaned, BpfMap>>,
  balanced: ReadonlyMap<FrontendKey, Balanced>,
): Record<Orphaned, Buffer[]> {
  const generations = new Set<number>();
  const parts = new Set<string>();
  for (const { called, entry } of balanced.values()) {
    generations.add(entry.generation);
    if (entry.lastPort === undefined) continue;
    for (const key of rangeKeys(called, entry.lastPort)) parts.add(key.toString('latin1'));
  }
  return {
    // The backends of a whole frontend are exactly those of its generation.
    backends: keysBut(maps.backends, (key) => {
      const { generation, index, isSlot } = readPlaceKey(key);
      return generations.has(generation) && (isSlot || index >= firstBuckets);
    }),
    frontends: keysBut(maps.frontends, (key) => balanced.has(keyOf(readEndpoint(key)))),
    ranges: keysBut(maps.ranges, (key) => parts.has(key.toString('latin1'))),
  };
}

function keysBut(map: BpfMap, isWanted: (key: Buffer) => boolean): Buffer[] {
  const keys: Buffer[] = [];
  map.each((key) => {
    if (!isWanted(key)) keys.push(Buffer.from(key));
  });
  return keys;
}
