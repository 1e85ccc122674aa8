import type { Frontend, FrontendKey } from '../../routing/frontend.ts';
import { balance, type Balanced, type Element, elementsOf, isSameBalanced, type Numbers } from './balanced.ts';
import { numberKey } from './layout.ts';

/** The maps in which frontends are. */
export const tableNames = ['backends', 'counters', 'frontends', 'ranges'] as const;
export type TableName = (typeof tableNames)[number];

/** What a change does to the maps, and to the belief of what is in them (undefined: gone). */
export interface TableChanges {
  readonly next: ReadonlyMap<FrontendKey, Balanced | undefined>;
  readonly write: Readonly<Record<TableName, readonly Element[]>>;
  /** Counters stay, for the next that gets their place. */
  readonly delete: Readonly<Record<TableName, readonly Buffer[]>>;
}

/** Decides what makes the maps have the changed frontends, and not the removed ones. Pure, but for numbers. */
export function changesOf(
  current: ReadonlyMap<FrontendKey, Balanced>,
  changed: readonly Frontend[],
  removed: readonly FrontendKey[],
  numbers: Numbers,
  zeroCounter: Buffer,
): TableChanges {
  const next = new Map<FrontendKey, Balanced | undefined>();
  for (const key of removed) if (current.has(key)) next.set(key, undefined);
  for (const frontend of changed) {
    const previous = current.get(frontend.key);
    const balanced = balance(frontend, previous, numbers);
    if (previous === undefined && balanced === undefined) next.delete(frontend.key);
    else if (previous === undefined || balanced === undefined || !isSameBalanced(previous, balanced)) {
      next.set(frontend.key, balanced);
    } else next.delete(frontend.key);
  }
  return differences(current, next, zeroCounter);
}

function differences(
  current: ReadonlyMap<FrontendKey, Balanced>,
  next: ReadonlyMap<FrontendKey, Balanced | undefined>,
  zeroCounter: Buffer,
): TableChanges {
  const write = emptyTables<Element>();
  const gone = emptyTables<Buffer>();
  for (const [key, balanced] of next) {
    const previous = current.get(key);
    if (balanced !== undefined) addWrites(write, balanced, previous, zeroCounter);
    if (previous !== undefined) addDeletes(gone, previous, balanced);
  }
  return { next, write, delete: gone };
}

function addWrites(
  write: Record<TableName, Element[]>,
  balanced: Balanced,
  previous: Balanced | undefined,
  zeroCounter: Buffer,
): void {
  const { frontends, ranges, backends } = elementsOf(balanced);
  write.frontends.push(...frontends);
  write.ranges.push(...ranges);
  if (previous?.entry.generation !== balanced.entry.generation)
    for (const element of backends) write.backends.push(element);
  if (previous === undefined) write.counters.push([numberKey(balanced.entry.counter), zeroCounter]);
}

function addDeletes(gone: Record<TableName, Buffer[]>, previous: Balanced, balanced: Balanced | undefined): void {
  const old = elementsOf(previous);
  const kept = new Set(balanced === undefined ? [] : keysOf(balanced));
  const leave = (elements: readonly Element[]) => elements.map(([key]) => key).filter((key) => !kept.has(nameOf(key)));
  gone.frontends.push(...leave(old.frontends));
  gone.ranges.push(...leave(old.ranges));
  if (previous.entry.generation !== balanced?.entry.generation)
    for (const [key] of old.backends) gone.backends.push(key);
}

function keysOf(balanced: Balanced): string[] {
  const { frontends, ranges } = elementsOf(balanced);
  return [...frontends, ...ranges].map(([key]) => nameOf(key));
}

/** Keys of different maps have different lengths, so their bytes tell them apart. */
function nameOf(key: Buffer): string {
  return key.toString('latin1');
}

function emptyTables<T>(): Record<TableName, T[]> {
  return { backends: [], counters: [], frontends: [], ranges: [] };
}
