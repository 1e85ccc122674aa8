import type { BpfMap } from '../../linux/bpf/map.ts';
import { frontendKey, type FrontendKey } from '../../routing/frontend.ts';
import type { Balanced } from './balanced.ts';
import type { TableName } from './changes.ts';
import {
  type Endpoint,
  type FrontendEntry,
  rangeKeys,
  readBackendValue,
  readEndpoint,
  readFrontendValue,
  readPlaceKey,
  readRangeKey,
} from './layout.ts';

interface Spread {
  /** Holes until all are read. */
  readonly buckets: string[];
  slots: Map<string, number> | undefined;
}

/** Reads back the frontends that are whole. Who only looks may do so while another process writes. */
export function readBalanced(maps: Readonly<Record<TableName, BpfMap>>): Map<FrontendKey, Balanced> {
  const spreads = readSpreads(maps.backends);
  const balanced = new Map<FrontendKey, Balanced>();
  const note = (called: Endpoint, entry: FrontendEntry): void => {
    const spread = spreads.get(entry.generation);
    const buckets = spread === undefined ? undefined : wholeBuckets(spread, entry);
    if (spread === undefined || buckets === undefined) return;
    balanced.set(keyOf(called), { called, entry, buckets, slots: spread.slots });
  };
  maps.frontends.each((key, value) => note(readEndpoint(key), readFrontendValue(value)));
  maps.ranges.each((key, value) => note(...readRange(key, value)));
  return balanced;
}

/** Those that may change and go without another one's backends: each has a generation of its own. */
export function independent(balanced: ReadonlyMap<FrontendKey, Balanced>): Map<FrontendKey, Balanced> {
  const counts = new Map<number, number>();
  for (const { entry } of balanced.values()) counts.set(entry.generation, (counts.get(entry.generation) ?? 0) + 1);
  return new Map([...balanced].filter(([, { entry }]) => counts.get(entry.generation) === 1));
}

/** A part of a range, as the whole of it. */
function readRange(key: Buffer, value: Buffer): [Endpoint, FrontendEntry] {
  const entry = readFrontendValue(value);
  return [{ ...readRangeKey(key), port: entry.firstPort }, entry];
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

function wholeBuckets({ buckets, slots }: Spread, entry: FrontendEntry): string[] | undefined {
  if (buckets.length !== entry.buckets) return undefined;
  for (let bucket = 0; bucket < buckets.length; bucket += 1) {
    const name = buckets[bucket];
    if (name === undefined || slots?.has(name) === false) return undefined;
  }
  return buckets;
}

/** Keys of everything that none of the frontends has: of no use to anyone. Their generations must be their own. */
export function orphansOf(
  maps: Readonly<Record<TableName, BpfMap>>,
  balanced: ReadonlyMap<FrontendKey, Balanced>,
): Record<TableName, Buffer[]> {
  const generations = new Set<number>();
  const numbers = new Set<number>();
  const parts = new Set<string>();
  for (const { called, entry } of balanced.values()) {
    generations.add(entry.generation);
    numbers.add(entry.number);
    if (entry.lastPort === undefined) continue;
    for (const key of rangeKeys(called, entry.lastPort)) parts.add(key.toString('latin1'));
  }
  return {
    // The backends of a whole frontend are exactly those of its generation.
    backends: keysBut(maps.backends, (key) => generations.has(readPlaceKey(key).generation)),
    counters: keysBut(maps.counters, (key) => numbers.has(key.readUInt32LE())),
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
