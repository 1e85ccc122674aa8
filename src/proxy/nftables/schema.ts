import type { FieldType, SetSpec } from '../../linux/nftables/sets.ts';
import type { NftFamily } from '../../linux/nftables/transaction.ts';

/** The tables are `ip fairlead` and `ip6 fairlead`. */
export const tableName = 'fairlead';

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
 * Frontends live in one of two spaces with the same maps: those with an address, and node ports, which have none. `class`
 * says what happens to a connection; `outside` overrides it for clients from outside under a Local traffic policy.
 */
export const spaces = {
  address: { classes: 'frontends', outside: 'frontends-outside', backends: 'backends', slots: 'slots' },
  port: {
    classes: 'node-ports',
    outside: 'node-ports-outside',
    backends: 'node-port-backends',
    slots: 'node-port-slots',
  },
} as const;

export type Space = keyof typeof spaces;

/** Sets whose elements come from frontends. */
export type FrontendSet =
  | (typeof spaces)[Space][keyof (typeof spaces)[Space]]
  | 'source-ranges'
  | 'cluster-ips'
  | 'hairpins';

/** Sets whose elements come from the node's network. */
export type NetworkSet = 'pod-cidrs' | 'cluster-cidrs' | 'service-cidrs' | 'node-port-addresses';

export type SetName = FrontendSet | NetworkSet | 'classes' | 'origins' | 'affinity' | 'affinity-outside';

/** Clients that affinity can remember at once on this node; more are spread without memory. */
const affinitySize = 262_144;

/** Every set of a family's table. */
export function setSpecs(layout: FamilyLayout): Readonly<Record<SetName, SetSpec>> {
  const address = layout.addressType;
  const frontend: readonly FieldType[] = [address, 'inet_proto', 'inet_service'];
  const port: readonly FieldType[] = ['inet_proto', 'inet_service'];
  const backend: readonly FieldType[] = [address, 'inet_service'];
  const cidrs = (name: SetName): SetSpec => ({ name, key: [address], interval: true });
  // A memory for each set of backends: what a client was given inside must not lead it there from outside.
  const memory = (name: SetName): SetSpec => ({
    name,
    key: [address, ...frontend],
    data: ['mark'],
    dynamic: true,
    size: affinitySize,
  });
  return {
    frontends: { name: 'frontends', key: frontend, data: ['mark'] },
    'frontends-outside': { name: 'frontends-outside', key: frontend, data: ['mark'] },
    'node-ports': { name: 'node-ports', key: port, data: ['mark'] },
    'node-ports-outside': { name: 'node-ports-outside', key: port, data: ['mark'] },
    backends: { name: 'backends', key: [...frontend, 'mark'], data: backend },
    'node-port-backends': { name: 'node-port-backends', key: [...port, 'mark'], data: backend },
    slots: { name: 'slots', key: [...frontend, 'mark'], data: ['mark'] },
    'node-port-slots': { name: 'node-port-slots', key: [...port, 'mark'], data: ['mark'] },
    'source-ranges': { name: 'source-ranges', key: [...frontend, address], interval: true },
    'cluster-ips': { name: 'cluster-ips', key: [address] },
    hairpins: { name: 'hairpins', key: [address, address] },
    'pod-cidrs': cidrs('pod-cidrs'),
    'cluster-cidrs': cidrs('cluster-cidrs'),
    'service-cidrs': cidrs('service-cidrs'),
    'node-port-addresses': cidrs('node-port-addresses'),
    classes: { name: 'classes', key: ['mark'], data: 'verdict' },
    origins: { name: 'origins', key: ['mark'], data: 'verdict' },
    affinity: memory('affinity'),
    'affinity-outside': memory('affinity-outside'),
  };
}
