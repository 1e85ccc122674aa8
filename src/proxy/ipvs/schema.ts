import type { FieldType, SetSpec } from '../../linux/nftables/sets.ts';
import type { NftFamily } from '../../linux/nftables/transaction.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { type FamilyLayout, layouts, type NetworkSet, type Space, spaceNames } from '../nftables/schema.ts';

/** The dummy link with the virtual addresses. */
export const linkName = 'fairlead-ipvs';

/** The companion tables are `ip fairlead-ipvs` and `ip6 fairlead-ipvs`. */
export const tableName = 'fairlead-ipvs';

/** For whom a set of backends is: everyone; or clients from outside, where a Local policy gives them others. */
export type Side = 'inside' | 'outside';

/**
 * Addresses to which nftables translates what IPVS cannot be asked for directly: node ports (of any address of the node)
 * and external addresses (not this machine's). Each frontend and side has a port of its own there, with a virtual server.
 * Never seen on a wire.
 */
export const relayAddresses: Readonly<Record<Frontend['family'], Readonly<Record<Side, string>>>> = {
  IPv4: { inside: '169.254.96.1', outside: '169.254.96.2' },
  IPv6: { inside: 'fd66:6169:726c::1', outside: 'fd66:6169:726c::2' },
};

/** Marks of virtual servers for ranges of ports: away from those that others use, and from `classBase`. */
export const rangeMarks = { first: 0x2000, last: 0x2fff } as const;

/**
 * Where a frontend is found: by address, as a node port (which has none), or in a range of ports. `relays` leads to a
 * port of the relay address; for a range to the mark of its virtual server.
 */
export const spaces = {
  address: {
    inside: { classes: 'frontends', relays: 'relays' },
    outside: { classes: 'frontends-outside', relays: 'relays-outside' },
    masqueraded: 'masqueraded',
  },
  port: {
    inside: { classes: 'node-ports', relays: 'node-port-relays' },
    outside: { classes: 'node-ports-outside', relays: 'node-port-relays-outside' },
    masqueraded: 'masqueraded-node-ports',
  },
  range: {
    inside: { classes: 'ranges', relays: 'range-marks' },
    outside: { classes: 'ranges-outside', relays: 'range-marks-outside' },
    masqueraded: 'masqueraded-ranges',
  },
} as const;

type SpaceNames = (typeof spaces)[Space];
type SpaceSet = SpaceNames['masqueraded'] | SpaceNames[Side]['classes' | 'relays'];

/** Sets whose elements come from frontends. */
export type FrontendSet = SpaceSet | 'source-ranges' | 'cluster-ips' | 'hairpins';

export type SetName = FrontendSet | NetworkSet | 'classes';

export const networkSets = ['pod-cidrs', 'cluster-cidrs', 'service-cidrs', 'node-port-addresses'] as const;

const specsByFamily: Readonly<Record<NftFamily, Readonly<Record<SetName, SetSpec>>>> = {
  ip: setSpecs(layouts.ip),
  ip6: setSpecs(layouts.ip6),
};

/** Every set of a family's table. */
export function specsOf(family: NftFamily): Readonly<Record<SetName, SetSpec>> {
  return specsByFamily[family];
}

export const frontendSets: readonly FrontendSet[] = [
  ...spaceNames.flatMap((space) => {
    const { inside, outside, masqueraded } = spaces[space];
    return [inside.classes, inside.relays, outside.classes, outside.relays, masqueraded];
  }),
  'source-ranges',
  'cluster-ips',
  'hairpins',
];

function setSpecs({ addressType: address }: FamilyLayout): Readonly<Record<SetName, SetSpec>> {
  const called = { address: [address, 'inet_proto', 'inet_service'], port: ['inet_proto', 'inet_service'] } as const;
  const specs: SetSpec[] = [
    ...spaceSpecs('address', called.address, [address, 'inet_service']),
    ...spaceSpecs('port', called.port, [address, 'inet_service']),
    ...spaceSpecs('range', called.address, ['mark']).map((spec) => ({ ...spec, interval: true })),
    { name: 'source-ranges', key: [...called.address, address], interval: true },
    { name: 'cluster-ips', key: [address] },
    { name: 'hairpins', key: [address, address] },
    ...networkSets.map((name) => ({ name, key: [address], interval: true })),
    { name: 'classes', key: ['mark'], data: 'verdict' },
  ];
  return Object.fromEntries(specs.map((spec) => [spec.name, spec])) as Record<SetName, SetSpec>;
}

function spaceSpecs(space: Space, key: readonly FieldType[], relay: readonly FieldType[]): SetSpec[] {
  const { inside, outside, masqueraded } = spaces[space];
  return [
    ...[inside.classes, outside.classes].map((name): SetSpec => ({ name, key, data: ['mark'] })),
    ...[inside.relays, outside.relays].map((name): SetSpec => ({ name, key, data: relay })),
    { name: masqueraded, key },
  ];
}
