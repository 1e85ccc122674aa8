import { cidrLast, parseCidr } from '../../lib/cidr.ts';
import { formatIp } from '../../lib/ip.ts';
import { eachElement } from '../../linux/nftables/dump.ts';
import type { ElementView } from '../../linux/nftables/element-view.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import type { Backend, Frontend, Target } from '../../routing/frontend.ts';
import { parseBackendName } from '../backend-name.ts';
import { type ForwardClass, ignoreChain, outsideOffset, parseClassName, readSlotMark } from './classes.ts';
import { KeyIndex } from './key-index.ts';
import { addressKey, type Identity, readBackendData, readIdentity } from './keys.ts';
import { NumberedElements } from './numbered-elements.ts';
import { classesOf, type Element, type Programmed, type Spread } from './program.ts';
import { type FamilyLayout, type FrontendSet, shelfSet, type Space, spaces, tableName } from './schema.ts';

/** What the frontends of all spaces have in common. */
export interface SharedElements {
  /** Chain by class number. */
  readonly classes: ReadonlyMap<number, string>;
  /** Keys of `cluster-ips` and `hairpins`, as latin1 text. */
  readonly clusterIps: ReadonlySet<string>;
  readonly hairpins: ReadonlySet<string>;
}

interface SpaceOptions extends SharedElements {
  readonly shelves: number;
}

/** A frontend as the kernel has it. */
export interface FoundFrontend {
  readonly programmed: Programmed;
  /** Its elements are all there, and it has no others. */
  readonly isWhole: boolean;
}

/** What is known of one frontend while its elements come in. */
interface Called {
  readonly key: Buffer;
  readonly keyEnd: Buffer | undefined;
  readonly identity: Identity;
  readonly hasComment: boolean;
  readonly inside: string | undefined;
  outside: string | undefined;
  shelf: number;
  isMasqueraded: boolean;
  readonly sourceRanges: { readonly key: Buffer; readonly keyEnd: Buffer | undefined }[];
}

const noSpread: Spread = { buckets: [], slots: undefined };

/** Reads one space of a family's table and puts its elements together again, frontend by frontend. */
export class FrontendReader {
  readonly space: Space;
  readonly #socket: NetlinkSocket;
  readonly #layout: FamilyLayout;
  readonly #classes: ReadonlyMap<number, string>;
  readonly #clusterIps: ReadonlySet<string>;
  /** Addresses of backends on this node. */
  readonly #local: ReadonlySet<string>;
  readonly #specs = new Map<string, ForwardClass | undefined>();
  readonly #index: KeyIndex;
  readonly #called: Called[] = [];
  readonly #backends: NumberedElements;
  readonly #slots = new NumberedElements(4);
  /** Elements that belong to no frontend. */
  readonly #strays: Element[] = [];

  constructor(socket: NetlinkSocket, layout: FamilyLayout, space: Space, options: SpaceOptions) {
    this.#socket = socket;
    this.#layout = layout;
    this.space = space;
    this.#classes = options.classes;
    this.#clusterIps = options.clusterIps;
    const halves = [...options.hairpins].map((pair) => [
      pair.slice(0, layout.addressBytes),
      pair.slice(layout.addressBytes),
    ]);
    this.#local = new Set(
      halves.flatMap(([first = '', second]) => (first === second ? [formatIp(Buffer.from(first, 'latin1'))] : [])),
    );
    this.#index = new KeyIndex(space === 'port' ? 8 : layout.addressBytes + 8);
    this.#backends = new NumberedElements(space === 'range' ? layout.addressBytes : layout.addressBytes + 4);
    const names = spaces[space];
    this.#eachElement(names.classes, (element) => this.#addCalled(element));
    this.#eachOfCalled(names.outside, (called, element) => (called.outside = this.#chainOf(element)));
    this.#eachOfCalled(names.masqueraded, (called) => (called.isMasqueraded = true));
    for (const called of this.#called) {
      called.shelf = (this.#spec(called.inside) ?? this.#spec(called.outside))?.shelf ?? 0;
    }
    for (let shelf = 0; shelf < options.shelves; shelf += 1) {
      this.#readNumbered(shelfSet(names.backends, shelf), shelf, this.#backends);
      this.#readNumbered(shelfSet(names.slots, shelf), shelf, this.#slots);
    }
    this.#backends.group(this.#called.length);
    this.#slots.group(this.#called.length);
  }

  /** Takes an element of `source-ranges`; false when it is none of this space's. */
  addSourceRange(element: ElementView): boolean {
    const called = this.#find(element);
    called?.sourceRanges.push({ key: element.key(), keyEnd: element.keyEnd() });
    return called !== undefined;
  }

  frontends(): FoundFrontend[] {
    return this.#called.map((called, owner) => this.#frontend(called, owner));
  }

  /** Elements of no frontend, and those of frontends that are not whole. */
  leftovers(frontends: readonly FoundFrontend[]): Element[] {
    const broken = this.#called.flatMap((called, owner) =>
      frontends[owner]?.isWhole === true ? [] : this.#elementsOf(called, owner),
    );
    return [...this.#strays, ...broken];
  }

  #eachElement(set: FrontendSet, visit: (element: ElementView) => void): void {
    eachElement(this.#socket, this.#layout.family, tableName, set, visit);
  }

  #addCalled(element: ElementView): void {
    const key = element.key();
    const keyEnd = element.keyEnd();
    const comment = element.comment();
    const identity = readIdentity(this.#layout.family === 'ip' ? 'IPv4' : 'IPv6', { key, keyEnd, comment });
    if (identity === undefined) return void this.#strays.push({ set: spaces[this.space].classes, key, keyEnd });
    // The kernel may tell an element twice while it makes the set larger.
    if (this.#index.add(this.#ownKey(key)) < this.#called.length) return;
    this.#called.push({
      key,
      keyEnd,
      identity,
      hasComment: comment !== undefined,
      inside: this.#chainOf(element),
      outside: undefined,
      shelf: 0,
      isMasqueraded: false,
      sourceRanges: [],
    });
  }

  #eachOfCalled(set: FrontendSet, visit: (called: Called, element: ElementView) => void): void {
    this.#eachElement(set, (element) => {
      const called = this.#find(element);
      if (called === undefined) this.#strays.push({ set, key: element.key(), keyEnd: element.keyEnd() });
      else visit(called, element);
    });
  }

  /** The frontend that an element's key begins with, and for a range ends with. */
  #find(element: ElementView): Called | undefined {
    const called = this.#called[this.#index.find(this.#ownKey(element.bytes.subarray(element.keyAt)))];
    const end = element.keyEnd();
    if (called === undefined || end === undefined) return called;
    const own = called.keyEnd ?? called.key;
    return end.subarray(0, own.length).equals(own) ? called : undefined;
  }

  /** What backends of a frontend are under; `key` begins with what is called. */
  #ownKey(key: Buffer): Buffer {
    if (this.space !== 'range') return key;
    const width = this.#layout.addressBytes + 8;
    const own = Buffer.from(key.subarray(0, width));
    own.writeUInt32LE(key.readUInt16BE(width - 4), width - 4);
    return own;
  }

  /** What a chain does; undefined for those that forward nothing. */
  #spec(chain: string | undefined): ForwardClass | undefined {
    if (chain === undefined) return undefined;
    if (!this.#specs.has(chain)) this.#specs.set(chain, parseClassName(chain));
    return this.#specs.get(chain);
  }

  /** Elements of a frontend on another shelf than its own are nobody's. */
  #readNumbered(set: FrontendSet, shelf: number, into: NumberedElements): void {
    this.#eachElement(set, (element) => {
      const owner = this.#index.find(element.bytes, element.keyAt);
      const number = element.bytes.readUInt32LE(element.keyAt + element.keyLength - 4);
      if (this.#called[owner]?.shelf !== shelf) this.#strays.push({ set, key: element.key() });
      else into.add(owner, number, element.bytes, element.dataAt);
    });
  }

  #chainOf({ bytes, dataAt, dataLength }: ElementView): string | undefined {
    return dataLength === 4 ? this.#classes.get(bytes.readUInt32LE(dataAt)) : undefined;
  }

  #frontend(called: Called, owner: number): FoundFrontend {
    const inside = this.#spread(owner, called.inside, false);
    const outside = called.outside === undefined ? undefined : this.#spread(owner, called.outside, true);
    const programmed = {
      frontend: this.#describe(called, inside.spread, outside?.spread),
      internal: inside.spread,
      outside: outside?.spread,
      shelf: called.shelf,
      local: this.#localOf(inside.spread, outside?.spread),
    };
    const chains = called.outside === undefined ? [called.inside] : [called.inside, called.outside];
    const isWhole =
      called.hasComment &&
      inside.isWhole &&
      outside?.isWhole !== false &&
      inside.backends + (outside?.backends ?? 0) === this.#backends.countOf(owner) &&
      inside.slots + (outside?.slots ?? 0) === this.#slots.countOf(owner) &&
      chains.join() === classesOf(programmed).join() &&
      called.sourceRanges.length === (programmed.frontend.sourceRanges?.length ?? 0) &&
      called.sourceRanges.every((range) => isCidr(range, this.#layout.addressBytes));
    return { programmed, isWhole };
  }

  #describe(called: Called, inside: Spread, outside: Spread | undefined): Frontend {
    const spec = this.#spec(called.inside) ?? this.#spec(called.outside);
    const kind = this.#kind(called.identity.address, spec);
    const internal = this.#target(called.inside, inside);
    const ranges = called.sourceRanges.map((range) => rangeText(range, this.#layout.addressBytes));
    return {
      ...called.identity,
      kind,
      affinity: spec?.stickySeconds === undefined ? undefined : { timeoutSeconds: spec.stickySeconds },
      scheduler: spec?.draw === 'source' ? 'mh' : spec?.draw === 'destination' ? 'dh' : undefined,
      resetAfterSeconds: undefined,
      sourceRanges: spec?.isRestricted === true ? ranges : undefined,
      internal,
      external: outside === undefined ? internal : this.#target(called.outside, outside),
      masquerade: called.isMasqueraded ? 'always' : kind === 'ClusterIP' ? 'off-cluster' : 'never',
    };
  }

  #kind(address: string | undefined, spec: ForwardClass | undefined): Frontend['kind'] {
    if (address === undefined) return 'NodePort';
    const key = addressKey(address).toString('latin1');
    if (this.#clusterIps.has(key)) return 'ClusterIP';
    return spec?.isRestricted === true ? 'LoadBalancer' : 'ExternalIP';
  }

  /** The buckets of a class, those without a backend as ''; how many elements they explain. */
  #spread(owner: number, chain: string | undefined, isOutside: boolean) {
    const spec = this.#spec(chain);
    if (spec === undefined) return { spread: noSpread, backends: 0, slots: 0, isWhole: chain !== undefined };
    const offset = isOutside ? outsideOffset : 0;
    return spec.stickySeconds === undefined
      ? this.#plainSpread(owner, spec, offset)
      : this.#stickySpread(owner, spec, offset);
  }

  #plainSpread(owner: number, spec: ForwardClass, offset: number) {
    const buckets = Array.from({ length: spec.buckets }, () => '');
    let backends = 0;
    this.#backends.each(owner, (number, data) => {
      const bucket = number - offset;
      if (bucket < 0 || bucket >= buckets.length) return;
      buckets[bucket] = readBackendData(data, spec.firstPort);
      backends += 1;
    });
    return { spread: { buckets, slots: undefined }, backends, slots: 0, isWhole: backends === spec.buckets };
  }

  #stickySpread(owner: number, spec: ForwardClass, offset: number) {
    const names = new Map<number, string>();
    this.#backends.each(owner, (number, data) => {
      if (readSlotMark(number).isOutside === offset > 0) names.set(number, readBackendData(data, spec.firstPort));
    });
    const buckets = Array.from({ length: spec.buckets }, () => '');
    let filled = 0;
    this.#slots.each(owner, (number, data) => {
      const bucket = number - offset;
      if (bucket < 0 || bucket >= buckets.length) return;
      buckets[bucket] = names.get(data.readUInt32LE(0)) ?? '';
      filled += 1;
    });
    const slots = new Map([...names].map(([number, name]) => [name, readSlotMark(number).slot]));
    const isWhole = filled === spec.buckets && !buckets.includes('') && new Set(buckets).size === names.size;
    return { spread: { buckets, slots }, backends: names.size, slots: filled, isWhole };
  }

  #target(chain: string | undefined, spread: Spread): Target {
    if (spread.buckets.length === 0) return { verdict: chain === ignoreChain ? 'drop' : 'reject', backends: [] };
    const local = this.#local;
    let backends: Backend[] | undefined;
    // Only who looks needs them; an adoption compares buckets.
    return {
      verdict: 'forward',
      get backends() {
        return (backends ??= backendsOf(spread, local));
      },
    };
  }

  #localOf(inside: Spread, outside: Spread | undefined): readonly string[] {
    if (this.#local.size === 0) return [];
    const addresses = [...inside.buckets, ...(outside?.buckets ?? [])].map((name) => parseBackendName(name).address);
    return [...new Set(addresses)].filter((address) => this.#local.has(address)).sort();
  }

  #elementsOf(called: Called, owner: number): Element[] {
    const { key, keyEnd, outside, isMasqueraded, sourceRanges } = called;
    const names = spaces[this.space];
    const elements: Element[] = [{ set: names.classes, key, keyEnd }];
    if (outside !== undefined) elements.push({ set: names.outside, key, keyEnd });
    if (isMasqueraded) elements.push({ set: names.masqueraded, key, keyEnd });
    for (const range of sourceRanges) elements.push({ set: 'source-ranges', ...range });
    const own = this.#index.key(owner);
    const [backends, slots] = [shelfSet(names.backends, called.shelf), shelfSet(names.slots, called.shelf)];
    this.#backends.each(owner, (number) => elements.push({ set: backends, key: numbered(own, number) }));
    this.#slots.each(owner, (number) => elements.push({ set: slots, key: numbered(own, number) }));
    return elements;
  }
}

/** The backends of buckets, each with as many as it has for weight. */
function backendsOf({ buckets }: Spread, local: ReadonlySet<string>): Backend[] {
  const counts = new Map<string, number>();
  for (const name of buckets) if (name !== '') counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts.keys()].sort().map((name) => {
    const { address, port } = parseBackendName(name);
    return { address, port, weight: counts.get(name) ?? 0, local: local.has(address) };
  });
}

function numbered(own: Buffer, number: number): Buffer {
  const key = Buffer.alloc(own.length + 4);
  own.copy(key);
  key.writeUInt32LE(number, own.length);
  return key;
}

/** Whether a source range is a CIDR: what others write may be any interval. */
function isCidr(range: { readonly key: Buffer; readonly keyEnd: Buffer | undefined }, addressBytes: number): boolean {
  const cidr = parseCidr(rangeText(range, addressBytes));
  const last = formatIp((range.keyEnd ?? range.key).subarray(-addressBytes));
  return (
    cidr !== undefined && cidrLast(cidr) === last && formatIp(cidr.base) === formatIp(range.key.subarray(-addressBytes))
  );
}

/** CIDR text of a source range that is one. */
export function rangeText(
  { key, keyEnd }: { readonly key: Buffer; readonly keyEnd: Buffer | undefined },
  addressBytes: number,
) {
  const first = key.subarray(-addressBytes);
  const last = (keyEnd ?? key).subarray(-addressBytes);
  let prefix = 0;
  for (const [at, byte] of first.entries()) {
    const differs = byte ^ (last[at] ?? 0);
    prefix += differs === 0 ? 8 : Math.clz32(differs) - 24;
    if (differs !== 0) break;
  }
  return `${formatIp(first)}/${prefix}`;
}
