import type { FieldType, SetSpec } from '../../linux/nftables/sets.ts';
import type { NftFamily } from '../../linux/nftables/transaction.ts';
import type { Frontend } from '../../routing/frontend.ts';

/** The tables are `ip fairlead` and `ip6 fairlead`. */
export const tableName = 'fairlead';

/** What takes their place when another plane does, until the last connection that they translated has ended. */
export const retiredTableName = 'fairlead-retired';

/** Where a family keeps what in its header, and how wide an address is. */
export interface FamilyLayout {
  readonly family: NftFamily;
  readonly addressType: FieldType;
  readonly addressBytes: number;
  readonly sourceOffset: number;
  readonly destinationOffset: number;
}

export const layouts: Readonly<Record<NftFamily, FamilyLayout>> = {
  ip: { family: 'ip', addressType: 'ipv4_addr', addressBytes: 4, sourceOffset: 12, destinationOffset: 16 },
  ip6: { family: 'ip6', addressType: 'ipv6_addr', addressBytes: 16, sourceOffset: 8, destinationOffset: 24 },
};

/**
 * Frontends live in one of three spaces with the same maps: those with an address, node ports, which have none, and
 * ranges of ports. `classes` says what happens to a connection; `outside` overrides it for clients from outside under a
 * Local traffic policy.
 */
export const spaces = {
  address: {
    classes: 'frontends',
    outside: 'frontends-outside',
    backends: 'backends',
    slots: 'slots',
    masqueraded: 'masqueraded',
  },
  port: {
    classes: 'node-ports',
    outside: 'node-ports-outside',
    backends: 'node-port-backends',
    slots: 'node-port-slots',
    masqueraded: 'masqueraded-node-ports',
  },
  range: {
    classes: 'ranges',
    outside: 'ranges-outside',
    backends: 'range-backends',
    slots: 'range-slots',
    masqueraded: 'masqueraded-ranges',
  },
} as const;

export type Space = keyof typeof spaces;

export const spaceNames: readonly Space[] = ['address', 'port', 'range'];

/** The space in which a frontend is found. */
export function spaceOf({ address, lastPort }: Pick<Frontend, 'address' | 'lastPort'>): Space {
  if (address === undefined) return 'port';
  return lastPort === undefined ? 'address' : 'range';
}

/**
 * The kernel lists a set in pieces and walks it from its start for each, so that a set of a quarter of a million elements
 * takes seconds. `backends` and `slots` of addresses are therefore kept on shelves; a table has as many as it needs.
 */
export const shelfSize = 32_768;

type ShelfSet = `${'backends' | 'slots'}-${number}`;

/** The set of a shelf: the first has no number, the next are 2, 3 and so on. */
export function shelfSet(set: (typeof spaces)[Space]['backends' | 'slots'], shelf: number): FrontendSet {
  if (shelf === 0) return set;
  return set === 'backends' ? `backends-${shelf + 1}` : `slots-${shelf + 1}`;
}

/** How many shelves a table has, by the names of its sets. */
export function shelfCount(sets: readonly string[]): number {
  return 1 + Math.max(0, ...sets.map((set) => Number(/^backends-(\d+)$/.exec(set)?.[1] ?? 1) - 1));
}

/** Where clients under affinity are remembered: what a client was given inside must not lead it there from outside. */
export const memories = {
  address: { inside: 'affinity', outside: 'affinity-outside' },
  port: { inside: 'affinity', outside: 'affinity-outside' },
  range: { inside: 'range-affinity', outside: 'range-affinity-outside' },
} as const;

/** Sets whose elements come from frontends. */
export type FrontendSet =
  | (typeof spaces)[Space][keyof (typeof spaces)[Space]]
  | ShelfSet
  | 'source-ranges'
  | 'cluster-ips'
  | 'hairpins';

/** Sets whose elements come from the node's network. */
export type NetworkSet = 'pod-cidrs' | 'cluster-cidrs' | 'service-cidrs' | 'node-port-addresses';

type MemorySet = (typeof memories)[Space]['inside' | 'outside'];

export type SetName = FrontendSet | NetworkSet | 'classes' | MemorySet;

/** Clients that affinity can remember at once on this node; more are spread without memory. */
export const affinitySize = 262_144;

/** A set of a family's table. */
export function specOf({ family }: FamilyLayout, name: SetName): SetSpec {
  const found = specs[family].get(name) ?? specs[family].get(name.replace(/-\d+$/, ''));
  if (found === undefined) throw new RangeError(`there is no set ${name}`);
  return found.name === name ? found : { ...found, name };
}

/** The sets that every table of a family has. */
export function constantSets({ family }: FamilyLayout): Iterable<SetSpec> {
  return specs[family].values();
}

function describeSets(layout: FamilyLayout): ReadonlyMap<string, SetSpec> {
  const address = layout.addressType;
  const sets: readonly SetSpec[] = [
    ...spaceSpecs('address', [address, 'inet_proto', 'inet_service'], [address, 'inet_service']),
    ...spaceSpecs('port', ['inet_proto', 'inet_service'], [address, 'inet_service']),
    ...rangeSpecs(address),
    { name: 'source-ranges', key: [address, 'inet_proto', 'inet_service', address], interval: true },
    { name: 'cluster-ips', key: [address] },
    { name: 'hairpins', key: [address, address] },
    ...['pod-cidrs', 'cluster-cidrs', 'service-cidrs', 'node-port-addresses'].map((name): SetSpec => ({
      name,
      key: [address],
      interval: true,
    })),
    { name: 'classes', key: ['mark'], data: 'verdict' },
    ...memorySpecs('address', [address, address, 'inet_proto', 'inet_service']),
    ...memorySpecs('range', [address, address, 'inet_proto', 'mark']),
  ];
  return new Map(sets.map((spec) => [spec.name, spec]));
}

function spaceSpecs(space: Space, frontend: readonly FieldType[], backend: readonly FieldType[]): SetSpec[] {
  const names = spaces[space];
  return [
    { name: names.classes, key: frontend, data: ['mark'], isCounted: true },
    { name: names.outside, key: frontend, data: ['mark'], isCounted: true },
    { name: names.backends, key: [...frontend, 'mark'], data: backend },
    { name: names.slots, key: [...frontend, 'mark'], data: ['mark'] },
    { name: names.masqueraded, key: frontend },
  ];
}

/** What is called are intervals; what belongs to a range is under its first port, as a number. */
function rangeSpecs(address: FieldType): SetSpec[] {
  const called = new Set<string>([spaces.range.classes, spaces.range.outside, spaces.range.masqueraded]);
  const intervals = spaceSpecs('range', [address, 'inet_proto', 'inet_service'], [address]);
  const exact = spaceSpecs('range', [address, 'inet_proto', 'mark'], [address]);
  return [
    ...intervals.filter(({ name }) => called.has(name)).map((spec) => ({ ...spec, interval: true })),
    ...exact.filter(({ name }) => !called.has(name)),
  ];
}

function memorySpecs(space: Space, key: readonly FieldType[]): SetSpec[] {
  return Object.values(memories[space]).map((name) => ({
    name,
    key,
    data: ['mark'],
    dynamic: true,
    size: affinitySize,
  }));
}

const specs: Readonly<Record<NftFamily, ReadonlyMap<string, SetSpec>>> = {
  ip: describeSets(layouts.ip),
  ip6: describeSets(layouts.ip6),
};
