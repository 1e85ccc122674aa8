import type { NameData } from './name-data.ts';
import type { ReverseEntry } from './service-names.ts';
import type { Name } from './wire/names.ts';
import { nameRdata } from './wire/rdata.ts';
import { typeNumbers } from './wire/types.ts';

/** Which names an address stands for. An address may be a cluster IP, or an endpoint of several headless Services. */
export class ReverseIndex {
  readonly #entries = new Map<string, ReverseEntry[]>();

  add(entries: readonly ReverseEntry[]): void {
    for (const entry of entries) {
      const list = this.#entries.get(entry.address);
      if (list === undefined) this.#entries.set(entry.address, [entry]);
      else list.push(entry);
    }
  }

  remove(entries: readonly ReverseEntry[]): void {
    for (const entry of entries) {
      const left = this.#entries.get(entry.address)?.filter((other) => other !== entry) ?? [];
      if (left.length === 0) this.#entries.delete(entry.address);
      else this.#entries.set(entry.address, left);
    }
  }

  /**
   * PTR records of an address; undefined when it stands for nothing. Where an endpoint has hostnames of its own, names
   * made from its address are left out, so that reverse and forward lookup agree on one stable name.
   */
  get(address: string, ttl: number): NameData | undefined {
    const entries = this.#entries.get(address);
    if (entries === undefined) return undefined;
    const named = entries.filter((entry) => entry.hasHostname);
    const targets = new Set<Name>((named.length > 0 ? named : entries).map((entry) => entry.target));
    return {
      source: `address ${address}`,
      ttl,
      sets: new Map([[typeNumbers.PTR, [...targets].sort().map(nameRdata)]]),
    };
  }
}
