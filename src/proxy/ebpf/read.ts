import type { BpfMap } from '../../linux/bpf/map.ts';
import { frontendKey, type FrontendKey } from '../../routing/frontend.ts';
import type { Balanced } from './balanced.ts';
import { allElements, tableNames, type TableName } from './changes.ts';
import {
  type Endpoint,
  type FrontendEntry,
  readBackendValue,
  readEndpoint,
  readFrontendValue,
  readPlaceKey,
  readRangeKey,
} from './layout.ts';

interface Spread {
  readonly buckets: Map<number, string>;
  readonly slots: Map<string, number>;
}

/** Reads back the frontends that are whole. Who only looks may do so while another process writes. */
export function readBalanced(maps: Readonly<Record<TableName, BpfMap>>): Map<FrontendKey, Balanced> {
  const spreads = readSpreads(maps.backends);
  const balanced = new Map<FrontendKey, Balanced>();
  for (const [called, entry] of readFrontends(maps)) {
    const spread = spreads.get(entry.generation);
    const buckets = spread === undefined ? undefined : wholeBuckets(spread, entry);
    if (spread === undefined || buckets === undefined) continue;
    const slots = spread.slots.size === 0 ? undefined : spread.slots;
    const key = frontendKey(called.family, called.address, called.port, called.protocol);
    balanced.set(key, { called, entry, buckets, slots });
  }
  return balanced;
}

/** Those that may change and go without another one's backends: each has a generation of its own. */
export function independent(balanced: ReadonlyMap<FrontendKey, Balanced>): Map<FrontendKey, Balanced> {
  const counts = new Map<number, number>();
  for (const { entry } of balanced.values()) counts.set(entry.generation, (counts.get(entry.generation) ?? 0) + 1);
  return new Map([...balanced].filter(([, { entry }]) => counts.get(entry.generation) === 1));
}

function* readFrontends({
  frontends,
  ranges,
}: Readonly<Record<TableName, BpfMap>>): Generator<[Endpoint, FrontendEntry]> {
  for (const [key, value] of frontends.entries()) yield [readEndpoint(key), readFrontendValue(value)];
  for (const [key, value] of ranges.entries()) {
    const entry = readFrontendValue(value);
    yield [{ ...readRangeKey(key), port: entry.firstPort }, entry];
  }
}

/** Backends by generation. */
function readSpreads(backends: BpfMap): Map<number, Spread> {
  const spreads = new Map<number, Spread>();
  for (const [key, value] of backends.entries()) {
    const { generation, index, isSlot } = readPlaceKey(key);
    let spread = spreads.get(generation);
    if (spread === undefined) spreads.set(generation, (spread = { buckets: new Map(), slots: new Map() }));
    const name = readBackendValue(value);
    if (isSlot) spread.slots.set(name, index);
    else spread.buckets.set(index, name);
  }
  return spreads;
}

function wholeBuckets({ buckets, slots }: Spread, entry: FrontendEntry): string[] | undefined {
  if (buckets.size !== entry.buckets) return undefined;
  const names: string[] = [];
  for (let bucket = 0; bucket < entry.buckets; bucket += 1) {
    const name = buckets.get(bucket);
    if (name === undefined || (slots.size > 0 && !slots.has(name))) return undefined;
    names.push(name);
  }
  return names;
}

/** Keys of everything that none of the frontends has: of no use to anyone. */
export function orphansOf(
  maps: Readonly<Record<TableName, BpfMap>>,
  balanced: ReadonlyMap<FrontendKey, Balanced>,
): Record<TableName, Buffer[]> {
  const wanted = allElements(balanced.values(), Buffer.alloc(0));
  const orphans: Record<TableName, Buffer[]> = { backends: [], counters: [], frontends: [], ranges: [] };
  for (const name of tableNames) {
    const known = new Set(wanted[name].map(([key]) => key.toString('latin1')));
    for (const [key] of maps[name].entries()) if (!known.has(key.toString('latin1'))) orphans[name].push(key);
  }
  return orphans;
}
