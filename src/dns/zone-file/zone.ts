import type { ResourceRecord } from '../wire/message.ts';
import { isWithin, nameKey, parentOf } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { nameOfRdata } from '../wire/rdata.ts';
import { typeNumbers } from '../wire/types.ts';

const { CNAME, DNAME, NS, SOA, ANY, DS } = typeNumbers;

/** What a zone says about a question (RFC 1034 4.3.2). */
export type ZoneAnswer =
  | { readonly kind: 'answer'; readonly records: readonly ResourceRecord[] }
  /** The name is an alias; ask for `target` next. `records` has the CNAME, and the DNAME it comes from. */
  | { readonly kind: 'alias'; readonly records: readonly ResourceRecord[]; readonly target: Name }
  /** Another server has the names below: NS records with what addresses of theirs are known. */
  | { readonly kind: 'referral'; readonly servers: readonly ResourceRecord[]; readonly glue: readonly ResourceRecord[] }
  /** The name exists without the type, or it does not exist. */
  | { readonly kind: 'empty' | 'missing' };

/** The records of a zone by name and type; names in lower case. */
export class ZoneData {
  readonly origin: Name;
  readonly soa: ResourceRecord;
  readonly #names = new Map<Name, Map<number, ResourceRecord[]>>();

  /** Throws RangeError when the records are no zone: no SOA at the origin, a name outside, data beside an alias. */
  constructor(origin: Name, records: Iterable<ResourceRecord>) {
    this.origin = origin;
    for (const record of records) this.#add(record);
    const [soa, more] = this.#names.get(origin)?.get(SOA) ?? [];
    if (soa === undefined || more !== undefined)
      throw new RangeError('the zone must have one SOA record at its origin');
    this.soa = soa;
    for (const sets of this.#names.values()) {
      if (sets.has(CNAME) && sets.size > 1) throw new RangeError('a name has an alias and other records');
    }
    for (const name of this.#names.keys()) this.#addParents(name);
  }

  /** Every record, the SOA first: what a transfer sends. */
  *records(): Generator<ResourceRecord> {
    yield this.soa;
    for (const sets of this.#names.values()) {
      for (const set of sets.values()) for (const record of set) if (record !== this.soa) yield record;
    }
  }

  /** `name` is in the zone, in lower case. */
  find(name: Name, type: number): ZoneAnswer {
    const cut = this.#cutAbove(name, type);
    if (cut !== undefined) return cut;
    const sets = this.#names.get(name) ?? this.#wildcard(name);
    if (sets === undefined) return this.#renamed(name, type) ?? { kind: 'missing' };
    const alias = sets.get(CNAME)?.[0];
    if (alias !== undefined && type !== CNAME && type !== ANY) {
      return { kind: 'alias', records: [{ ...alias, name }], target: nameKey(nameOfRdata(alias.rdata)) };
    }
    const found = type === ANY ? [...sets.values()][0] : sets.get(type);
    if (found === undefined || found.length === 0) return { kind: 'empty' };
    return { kind: 'answer', records: found.map((record) => (record.name === name ? record : { ...record, name })) };
  }

  /** Addresses in this zone of the names that records point to. */
  addressesOf(name: Name): ResourceRecord[] {
    const sets = this.#names.get(name);
    return [...(sets?.get(typeNumbers.A) ?? []), ...(sets?.get(typeNumbers.AAAA) ?? [])];
  }

  #add(record: ResourceRecord): void {
    if (!isWithin(record.name, this.origin)) throw new RangeError('a record is outside the zone');
    let sets = this.#names.get(record.name);
    if (sets === undefined) this.#names.set(record.name, (sets = new Map()));
    const set = sets.get(record.type);
    if (set === undefined) sets.set(record.type, [record]);
    else if (!set.some((each) => Buffer.compare(each.rdata, record.rdata) === 0)) set.push(record);
  }

  /** Names that only have names below them exist too (RFC 4592 2.2.2). */
  #addParents(name: Name): void {
    for (
      let parent = parentOf(name);
      parent !== undefined && isWithin(parent, this.origin);
      parent = parentOf(parent)
    ) {
      if (this.#names.has(parent)) return;
      this.#names.set(parent, new Map());
    }
  }

  /** A delegation at the name or above it, below the origin. */
  #cutAbove(name: Name, type: number): ZoneAnswer | undefined {
    let cut: readonly ResourceRecord[] | undefined;
    for (let at: Name | undefined = name; at !== undefined && at !== this.origin; at = parentOf(at)) {
      const servers = this.#names.get(at)?.get(NS);
      // The parent side of a cut has its DS records (RFC 4035 3.1.4.1).
      if (servers !== undefined && !(at === name && type === DS)) cut = servers;
    }
    if (cut === undefined) return undefined;
    const glue = cut.flatMap((record) => this.addressesOf(nameKey(nameOfRdata(record.rdata))));
    return { kind: 'referral', servers: cut, glue };
  }

  /** Records of `*` below the closest name that exists (RFC 4592 3.3.1). */
  #wildcard(name: Name): Map<number, ResourceRecord[]> | undefined {
    for (let at = parentOf(name); at !== undefined && isWithin(at, this.origin); at = parentOf(at)) {
      const star = this.#names.get(`\x01*${at}`);
      if (star !== undefined) return star;
      if (this.#names.has(at)) return undefined;
    }
    return undefined;
  }

  /** A DNAME above the name: a CNAME is made from it (RFC 6672 3.1). */
  #renamed(name: Name, type: number): ZoneAnswer | undefined {
    for (let at = parentOf(name); at !== undefined && isWithin(at, this.origin); at = parentOf(at)) {
      const dname = this.#names.get(at)?.get(DNAME)?.[0];
      if (dname === undefined) continue;
      const target = name.slice(0, name.length - at.length) + nameKey(nameOfRdata(dname.rdata));
      if (target.length > 255) return undefined;
      const cname = { name, type: CNAME, class: 1, ttl: dname.ttl, rdata: Buffer.from(target, 'latin1') };
      const records = [dname, cname];
      // The alias is made to be followed, unless it is what was asked for.
      return type === CNAME ? { kind: 'answer', records } : { kind: 'alias', records, target };
    }
    return undefined;
  }
}
