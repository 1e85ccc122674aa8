import { recordSets, retire } from './name-data.ts';
import type { ListedName } from './listed-names.ts';
import type { NameData, Owner } from './name-data.ts';
import type { ReverseEntry } from './service-names.ts';
import { isWithin } from './wire/names.ts';
import type { Name } from './wire/names.ts';
import { nameRdata } from './wire/rdata.ts';
import { typeNumbers } from './wire/types.ts';
import { reverseName } from './zone.ts';

/** One or several; nearly every address has one. */
type Entries = ReverseEntry | readonly ReverseEntry[];

/**
 * Which names an address stands for. An address may be a cluster IP, or an endpoint of several headless Services. There are
 * as many as endpoints, so that nothing is made for an address before it is asked for.
 */
export class ReverseIndex {
  readonly #entries = new Map<string, Entries>();
  /** Of the addresses that were asked for: what answers with their entries belong to. */
  readonly #owners = new Map<string, Owner>();

  add(entry: ReverseEntry): void {
    const before = this.#entries.get(entry.address);
    this.#entries.set(entry.address, before === undefined ? entry : [...listOf(before), entry]);
    this.#retire(entry.address);
  }

  remove(entry: ReverseEntry): void {
    const before = this.#entries.get(entry.address);
    if (before === undefined) return;
    const [first, ...others] = listOf(before).filter((other) => other !== entry);
    if (first === undefined) this.#entries.delete(entry.address);
    else this.#entries.set(entry.address, others.length === 0 ? first : [first, ...others]);
    this.#retire(entry.address);
  }

  /**
   * PTR records of an address; undefined when it stands for nothing. Where an endpoint has hostnames of its own, names
   * made from its address are left out, so that reverse and forward lookup agree on one stable name.
   */
  get(address: string, ttl: number): NameData | undefined {
    const entries = this.#entries.get(address);
    if (entries === undefined) return undefined;
    const owner = this.#owners.get(address) ?? { isCurrent: true };
    this.#owners.set(address, owner);
    return dataOf(address, listOf(entries), ttl, owner);
  }

  /** The names within a zone, as they are now. */
  listed(zone: Name, ttl: number): Iterable<ListedName> {
    return [...this.#entries].values().flatMap(([address, entries]): ListedName[] => {
      const name = reverseName(address);
      return isWithin(name, zone) ? [[name, dataOf(address, listOf(entries), ttl)]] : [];
    });
  }

  /** What was made of the entries that an address had is not current any more. */
  #retire(address: string): void {
    const owner = this.#owners.get(address);
    if (owner === undefined) return;
    this.#owners.delete(address);
    retire(owner);
  }
}

function listOf(entries: Entries): readonly ReverseEntry[] {
  return 'address' in entries ? [entries] : entries;
}

function dataOf(address: string, entries: readonly ReverseEntry[], ttl: number, owner?: Owner): NameData {
  const named = entries.filter((entry) => entry.hasHostname);
  const targets = new Set<Name>((named.length > 0 ? named : entries).map((entry) => entry.target));
  return {
    source: `address ${address}`,
    ttl,
    sets: recordSets({ [typeNumbers.PTR]: () => [...targets].sort().map(nameRdata) }),
    owner,
  };
}
