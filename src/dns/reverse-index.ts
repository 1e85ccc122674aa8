import { recordSets, retire } from './name-data.ts';
import type { ListedName } from './listed-names.ts';
import type { NameData, Owner } from './name-data.ts';
import type { ReverseEntry } from './service-names.ts';
import { isWithin } from './wire/names.ts';
import type { Name } from './wire/names.ts';
import { nameRdata } from './wire/rdata.ts';
import { typeNumbers } from './wire/types.ts';
import { reverseName } from './zone.ts';

/** Which names an address stands for. An address may be a cluster IP, or an endpoint of several headless Services. */
export class ReverseIndex {
  readonly #names = new Map<string, AddressNames>();

  add(entries: readonly ReverseEntry[]): void {
    for (const entry of entries) this.#replace(entry.address, (list) => [...list, entry]);
  }

  remove(entries: readonly ReverseEntry[]): void {
    for (const entry of entries) this.#replace(entry.address, (list) => list.filter((other) => other !== entry));
  }

  /**
   * PTR records of an address; undefined when it stands for nothing. Where an endpoint has hostnames of its own, names
   * made from its address are left out, so that reverse and forward lookup agree on one stable name.
   */
  get(address: string, ttl: number): NameData | undefined {
    const names = this.#names.get(address);
    return names && dataOf(address, names, ttl);
  }

  /** The names within a zone, as they are now. */
  listed(zone: Name, ttl: number): Iterable<ListedName> {
    return [...this.#names].values().flatMap(([address, names]): ListedName[] => {
      const name = reverseName(address);
      return isWithin(name, zone) ? [[name, dataOf(address, names, ttl)]] : [];
    });
  }

  /** The entries of an address become others: what was made of the old ones is not current any more. */
  #replace(address: string, change: (entries: readonly ReverseEntry[]) => readonly ReverseEntry[]): void {
    const before = this.#names.get(address);
    if (before !== undefined) retire(before);
    const entries = change(before?.entries ?? []);
    if (entries.length === 0) this.#names.delete(address);
    else this.#names.set(address, { isCurrent: true, entries });
  }
}

interface AddressNames extends Owner {
  readonly entries: readonly ReverseEntry[];
}

function dataOf(address: string, names: AddressNames, ttl: number): NameData {
  const named = names.entries.filter((entry) => entry.hasHostname);
  const targets = new Set<Name>((named.length > 0 ? named : names.entries).map((entry) => entry.target));
  return {
    source: `address ${address}`,
    ttl,
    sets: recordSets({ [typeNumbers.PTR]: () => [...targets].sort().map(nameRdata) }),
    owner: names,
  };
}
