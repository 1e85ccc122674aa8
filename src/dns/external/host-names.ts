import { addressSets } from '../service-names.ts';
import { aliasName, emptyName, recordSets, retire } from '../name-data.ts';
import type { NameData, Owner } from '../name-data.ts';
import { isWithin, parentOf, parseKey } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import type { Hosts, Targets } from './targets.ts';

const wildcard = '\x01*';

/** Names that objects give to what they lead to: several objects may share one; `*.` stands for all names below. */
export class HostNames {
  readonly #zones: readonly Name[];
  readonly #ttl: number;
  readonly #names = new Map<Name, NameState>();
  readonly #byOwner = new Map<string, readonly Name[]>();
  /** Names that only have names below them, with how many. */
  readonly #above = new Map<Name, number>();

  /** Hosts outside the zones are left out. */
  constructor(zones: readonly Name[], ttl: number) {
    this.#zones = zones;
    this.#ttl = ttl;
  }

  /** Replaces what an object (`Ingress shop/web`) gave names to; undefined when it is gone. */
  set(owner: string, given: Hosts | undefined): void {
    for (const name of this.#byOwner.get(owner) ?? []) this.#change(name, owner, undefined);
    this.#byOwner.delete(owner);
    const hasTargets = given !== undefined && (given.targets.addresses.length > 0 || given.targets.alias !== undefined);
    if (!hasTargets) return;
    const names = [...new Set(given.hosts.map((host) => parseKey(host)))].filter(
      (name) => name !== undefined && this.#zones.some((zone) => name.length > zone.length && isWithin(name, zone)),
    ) as Name[];
    if (names.length === 0) return;
    for (const name of names) this.#change(name, owner, given.targets);
    this.#byOwner.set(owner, names);
  }

  /** `key` is within one of the zones, lower case. A wildcard stands for names whose closest ancestor it is below (RFC 4592). */
  find(key: Name): NameData | undefined {
    const state = this.#names.get(key);
    if (state !== undefined) return this.#data(state, state);
    if (this.#above.has(key)) return emptyName('names below it');
    for (let above = parentOf(key); above !== undefined && above !== '\0'; above = parentOf(above)) {
      const any = this.#names.get(wildcard + above);
      // Not kept: there is no end to such names.
      if (any !== undefined) return this.#data(any, undefined);
      if (this.#names.has(above) || this.#above.has(above)) return undefined;
    }
    return undefined;
  }

  /** All names below a zone. */
  listed(zone: Name): Name[] {
    return [...this.#names.keys()].filter((name) => isWithin(name, zone));
  }

  #data({ byOwner }: NameState, owner: Owner | undefined): NameData {
    // In one order, whichever object came first: of several aliases there can be one.
    const owners = [...byOwner.keys()].toSorted();
    const source = owners.join(', ');
    const targets = owners.flatMap((each) => byOwner.get(each) ?? []);
    const addresses = targets.flatMap((each) => each.addresses);
    const alias = targets.find((each) => each.alias !== undefined)?.alias;
    if (addresses.length === 0 && alias !== undefined) return aliasName(source, this.#ttl, alias);
    return { source, ttl: this.#ttl, sets: recordSets(addressSets(() => addresses)), owner };
  }

  /** A name's objects become others: what was made of the old ones is not current any more. */
  #change(name: Name, owner: string, targets: Targets | undefined): void {
    const before = this.#names.get(name);
    if (before !== undefined) retire(before);
    const byOwner = new Map(before?.byOwner);
    if (targets === undefined) byOwner.delete(owner);
    else byOwner.set(owner, targets);
    if (byOwner.size === 0) this.#names.delete(name);
    else this.#names.set(name, { isCurrent: true, byOwner });
    const isNew = before === undefined && byOwner.size > 0;
    const isGone = before !== undefined && byOwner.size === 0;
    if (isNew || isGone) this.#countAbove(name, isNew ? 1 : -1);
  }

  #countAbove(name: Name, by: number): void {
    for (let above = parentOf(name); above !== undefined && above !== '\0'; above = parentOf(above)) {
      const count = (this.#above.get(above) ?? 0) + by;
      if (count > 0) this.#above.set(above, count);
      else this.#above.delete(above);
    }
  }
}

interface NameState extends Owner {
  readonly byOwner: ReadonlyMap<string, Targets>;
}
