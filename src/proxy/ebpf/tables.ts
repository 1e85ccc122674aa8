import {
  closeMaps,
  install,
  type InstallationPlace,
  type InstalledMaps,
  isInstalled,
  reinstall,
} from '../../linux/bpf/installation.ts';
import type { BpfMap } from '../../linux/bpf/map.ts';
import type { Frontend, FrontendKey } from '../../routing/frontend.ts';
import { backendEntries, type Balanced, type Numbers } from './balanced.ts';
import { changesOf, type TableChanges, tableNames, type TableName } from './changes.ts';
import { CounterPlaces } from './counter-places.ts';
import { readCounter } from './layout.ts';
import { independent, orphansOf, readBalanced } from './read.ts';

/** How many frontends are written together at a start: bounds the memory that takes. */
const frontendsAtOnce = 2048;

/** The maps by name, as the object file has them. */
export type SocketMaps = Readonly<Record<TableName | 'node_addresses' | 'callers' | 'calls', BpfMap>>;

/** Connections by frontend. */
export function readCounters(
  { counters }: SocketMaps,
  balanced: ReadonlyMap<FrontendKey, Balanced>,
): Map<FrontendKey, number> {
  const found: number[] = [];
  counters.each((key, value) => (found[key.readUInt32LE()] = readCounter(value)));
  return new Map([...balanced].map(([key, { entry }]) => [key, found[entry.counter] ?? 0]));
}

/**
 * The frontends in the maps, and the belief of what is there. A change writes new backends first, under a generation of
 * their own, then the frontend's entry, which leads to them in one step, and takes the old ones away last: a program that
 * read the old entry and comes too late for its backends reads the entry again.
 */
export class SocketTables {
  readonly #place: InstallationPlace;
  #installed: { readonly all: InstalledMaps; readonly named: SocketMaps } | undefined;
  #balanced = new Map<FrontendKey, Balanced>();
  /** How many entries `backends` has. */
  #backendEntries = 0;
  /** After a change that failed half way nothing is believed. */
  #isDoubtful = false;
  #generation = 0;
  #number = 0;
  #counters = new CounterPlaces([]);

  constructor(place: InstallationPlace) {
    this.#place = place;
  }

  /** Throws before `adopt`. */
  get maps(): SocketMaps {
    if (this.#installed === undefined) throw new Error('the maps are not open: nothing was adopted');
    return this.#installed.named;
  }

  /**
   * Brings the programs into force, with what is pinned, and makes that exactly `desired`. Returns the number of entries
   * written or removed.
   */
  adopt(desired: readonly Frontend[]): number {
    this.#open(desired.length, entriesFor(desired));
    let operations = this.#believeKernel();
    const keys = new Set(desired.map(({ key }) => key));
    operations += this.apply(
      [],
      [...this.#balanced.keys()].filter((key) => !keys.has(key)),
    );
    for (let at = 0; at < desired.length; at += frontendsAtOnce) {
      operations += this.apply(desired.slice(at, at + frontendsAtOnce), []);
    }
    return operations;
  }

  /** Returns the number of entries written or removed. */
  apply(changed: readonly Frontend[], removed: readonly FrontendKey[]): number {
    if (this.#isDoubtful) this.#believeKernel();
    this.#counters.giveBack();
    const changes = changesOf(this.#balanced, changed, removed, this.#numbers, this.#zeroCounter());
    this.#makeRoom(changes);
    this.#isDoubtful = true;
    const operations = this.#carryOut(changes);
    this.#isDoubtful = false;
    return operations;
  }

  get isOpen(): boolean {
    return this.#installed !== undefined;
  }

  /** Puts back what someone took out of force; returns whether anything was. */
  restore(): boolean {
    if (this.#installed === undefined || isInstalled(this.#place)) return false;
    reinstall(this.#place, this.#installed.all);
    return true;
  }

  /** Connections by frontend, as the maps have them now. */
  counters(): Map<FrontendKey, number> {
    return readCounters(this.maps, this.#balanced);
  }

  close(): void {
    if (this.#installed !== undefined) closeMaps(this.#installed.all);
    this.#installed = undefined;
  }

  readonly #numbers: Numbers = {
    generation: () => (this.#generation += 1),
    number: () => (this.#number += 1),
    counter: () => this.#counters.take(),
  };

  #zeroCounter(): Buffer {
    return Buffer.alloc(this.maps.counters.valueBytes);
  }

  /** Opens maps for twice as many entries, so that all of them may be replaced at once. */
  #open(frontends: number, backends: number): void {
    const sizes = {
      frontends: roomFor(frontends, 1024),
      counters: roomFor(frontends, 1024),
      backends: roomFor(backends, 4096),
    };
    const all = install(this.#place, sizes);
    this.close();
    this.#installed = { all, named: socketMaps(all) };
  }

  /** Reads the maps, and takes away what is of no use. */
  #believeKernel(): number {
    const maps = this.maps;
    this.#balanced = independent(readBalanced(maps));
    for (const { entry } of this.#balanced.values()) {
      this.#generation = Math.max(this.#generation, entry.generation);
      this.#number = Math.max(this.#number, entry.number);
    }
    let operations = 0;
    for (const [name, keys] of Object.entries(orphansOf(maps, this.#balanced))) {
      maps[name as TableName].delete(keys);
      operations += keys.length;
    }
    this.#backendEntries = 0;
    for (const { buckets, slots } of this.#balanced.values())
      this.#backendEntries += backendEntries(buckets.length, slots?.size ?? 0);
    this.#counters = new CounterPlaces([...this.#balanced.values()].map(({ entry }) => entry.counter));
    return operations;
  }

  /** Replaces maps that would be too small by larger ones, in which the same is. */
  #makeRoom({ next, write }: TableChanges): void {
    const maps = this.maps;
    const frontends = this.#balanced.size + next.size;
    const backends = this.#backendEntries + write.backends.length;
    if (frontends <= maps.frontends.definition.maxEntries && backends <= maps.backends.definition.maxEntries) return;
    this.#open(frontends, backends);
  }

  #carryOut(changes: TableChanges): number {
    const maps = this.maps;
    let operations = 0;
    for (const name of tableNames) {
      maps[name].update(changes.write[name]);
      operations += changes.write[name].length;
    }
    for (const name of tableNames.toReversed()) {
      maps[name].delete(changes.delete[name]);
      operations += changes.delete[name].length;
    }
    this.#backendEntries += changes.write.backends.length - changes.delete.backends.length;
    for (const [key, balanced] of changes.next) {
      const previous = this.#balanced.get(key);
      if (balanced !== undefined) this.#balanced.set(key, balanced);
      else if (previous !== undefined) {
        this.#balanced.delete(key);
        this.#counters.free(previous.entry.counter);
      }
    }
    this.#counters.keep();
    return operations;
  }
}

/** A power of two, and at least `least`. */
function roomFor(entries: number, least: number): number {
  return Math.max(least, 2 ** Math.ceil(Math.log2(2 * entries)));
}

/** About how many entries of `backends` the frontends need: equal backends have one bucket each, and maybe a slot. */
function entriesFor(frontends: readonly Frontend[]): number {
  return frontends.reduce((sum, { internal: { backends }, protocol, affinity }) => {
    const isRemembered = protocol === 'UDP' || affinity !== undefined;
    return sum + backendEntries(backends.length, isRemembered ? backends.length : 0);
  }, 0);
}

/** Gives maps their names. Throws when one is missing: the object file is another. */
export function socketMaps(maps: Readonly<Record<string, BpfMap>>): SocketMaps {
  const named = (name: string): BpfMap => {
    const map = maps[name];
    if (map === undefined) throw new Error(`the object file has no map ${name}`);
    return map;
  };
  return {
    backends: named('backends'),
    counters: named('counters'),
    frontends: named('frontends'),
    ranges: named('ranges'),
    node_addresses: named('node_addresses'),
    callers: named('callers'),
    calls: named('calls'),
  };
}
