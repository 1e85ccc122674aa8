import { ageColumn, listStart, nameColumn } from '../columns.ts';
import { ObjectReference } from '../core/references.ts';
import { bool, int32, kind, list, map, message, object, string } from '../declare.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Infer } from '../schema.ts';
import { validateEndpointSlice, validateEndpointSliceUpdate } from './endpoint-slice-validation.ts';

/** EndpointSlices: the backends of Services. */

export const EndpointConditions = message(
  'discovery.v1.EndpointConditions',
  {
    ready: bool(1, { doc: 'It takes new connections. Absent means yes.', pointer: true }),
    serving: bool(2, { doc: 'It answers, even if it is about to stop. Absent means as `ready`.', pointer: true }),
    terminating: bool(3, { doc: 'It is about to stop. Absent means no.', pointer: true }),
  },
  { doc: 'Whether an endpoint may be used.' },
);
export type EndpointConditions = Infer<typeof EndpointConditions>;

export const ForZone = message(
  'discovery.v1.ForZone',
  {
    name: string(1, { doc: 'Name of the zone.', required: true }),
  },
  { doc: 'A zone.' },
);
export type ForZone = Infer<typeof ForZone>;

export const ForNode = message(
  'discovery.v1.ForNode',
  {
    name: string(1, { doc: 'Name of the node.', required: true }),
  },
  { doc: 'A node.' },
);
export type ForNode = Infer<typeof ForNode>;

export const EndpointHints = message(
  'discovery.v1.EndpointHints',
  {
    forZones: list(1, ForZone, { doc: 'Clients in these zones should use it.' }),
    forNodes: list(2, ForNode, { doc: 'Clients on these nodes should use it.' }),
  },
  { doc: 'Whom an endpoint is meant for.' },
);
export type EndpointHints = Infer<typeof EndpointHints>;

export const Endpoint = message(
  'discovery.v1.Endpoint',
  {
    addresses: list(1, 'string', {
      doc: 'Its addresses, at most 100; users take the first.',
      required: true,
      listType: 'set',
    }),
    conditions: object(2, EndpointConditions, { doc: 'Whether it may be used.', pointer: false }),
    hostname: string(3, { doc: 'Its own name below the name of the Service.', pointer: true }),
    targetRef: object(4, ObjectReference, { doc: 'The object behind it, usually a Pod.' }),
    deprecatedTopology: map(5, 'string', { doc: 'Left over from older versions; read only.' }),
    nodeName: string(6, { doc: 'The node it is on.', pointer: true }),
    zone: string(7, { doc: 'The zone it is in.', pointer: true }),
    hints: object(8, EndpointHints, { doc: 'Whom it is meant for.' }),
  },
  { doc: 'One backend.' },
);
export type Endpoint = Infer<typeof Endpoint>;

export const EndpointPort = message(
  'discovery.v1.EndpointPort',
  {
    name: string(1, { doc: 'Name of the port of the Service.', pointer: true }),
    protocol: string(2, { doc: 'TCP, UDP or SCTP.', pointer: true, values: ['TCP', 'UDP', 'SCTP'] }),
    port: int32(3, { doc: 'The number.', pointer: true }),
    appProtocol: string(4, { doc: 'What is spoken on the port, as a hint.', pointer: true }),
  },
  { doc: 'A port of the endpoints of a slice.', atomic: true },
);
export type EndpointPort = Infer<typeof EndpointPort>;

export const EndpointSliceMessage = message(
  'discovery.v1.EndpointSlice',
  {
    ...typeMeta,
    metadata,
    addressType: string(4, {
      doc: '`IPv4`, `IPv6` or `FQDN` (deprecated). Stays.',
      required: true,
      values: ['IPv4', 'IPv6', 'FQDN'],
    }),
    endpoints: list(2, Endpoint, { doc: 'The endpoints, at most 1000.' }),
    ports: list(3, EndpointPort, { doc: 'The ports that every endpoint of the slice has.' }),
  },
  { doc: 'Some of the endpoints of a Service. All slices of a Service together are its endpoints.' },
);
export type EndpointSlice = Infer<typeof EndpointSliceMessage>;

function formatPorts({ ports = [] }: EndpointSlice): string {
  return listStart(ports.map(({ port, name }) => String(port ?? name ?? '*'))) || '<unset>';
}

function formatAddresses({ endpoints = [] }: EndpointSlice): string {
  return listStart(endpoints.flatMap((endpoint) => endpoint.addresses)) || '<unset>';
}

function defaultPorts(slice: EndpointSlice): EndpointSlice {
  if (slice.ports === undefined) return slice;
  const ports = slice.ports.map((port) => ({ ...port, name: port.name ?? '', protocol: port.protocol ?? 'TCP' }));
  return { ...slice, ports };
}

export const EndpointSlice = kind(EndpointSliceMessage, {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
  hasGeneration: true,
  columns: [
    nameColumn,
    { name: 'AddressType', type: 'string', doc: 'IPv4, IPv6 or FQDN.', cell: (slice) => slice.addressType },
    { name: 'Ports', type: 'string', doc: 'The ports of all its endpoints.', cell: formatPorts },
    { name: 'Endpoints', type: 'string', doc: 'The first addresses.', cell: formatAddresses },
    ageColumn,
  ],
  setDefaults: defaultPorts,
  validate: validateEndpointSlice,
  validateUpdate: validateEndpointSliceUpdate,
});
