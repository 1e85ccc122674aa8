import type { Infer } from '../schema.ts';
import { bool, int32, kind, list, map, message, object, string } from '../schema.ts';
import { ObjectReference } from '../core/references.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import { ageColumn, listStart, nameColumn } from '../columns.ts';
import { validateEndpointSlice, validateEndpointSliceUpdate } from './endpoint-slice-validation.ts';

export const EndpointConditions = message('discovery.v1.EndpointConditions', {
  ready: bool(1, { pointer: true }),
  serving: bool(2, { pointer: true }),
  terminating: bool(3, { pointer: true }),
});
export type EndpointConditions = Infer<typeof EndpointConditions>;

export const ForZone = message('discovery.v1.ForZone', {
  name: string(1, { required: true }),
});
export type ForZone = Infer<typeof ForZone>;

export const ForNode = message('discovery.v1.ForNode', {
  name: string(1, { required: true }),
});
export type ForNode = Infer<typeof ForNode>;

export const EndpointHints = message('discovery.v1.EndpointHints', {
  forZones: list(1, ForZone),
  forNodes: list(2, ForNode),
});
export type EndpointHints = Infer<typeof EndpointHints>;

export const Endpoint = message('discovery.v1.Endpoint', {
  addresses: list(1, 'string', { required: true, listType: 'set' }),
  conditions: object(2, EndpointConditions, { pointer: false }),
  hostname: string(3, { pointer: true }),
  targetRef: object(4, ObjectReference),
  deprecatedTopology: map(5, 'string'),
  nodeName: string(6, { pointer: true }),
  zone: string(7, { pointer: true }),
  hints: object(8, EndpointHints),
});
export type Endpoint = Infer<typeof Endpoint>;

export const EndpointPort = message(
  'discovery.v1.EndpointPort',
  {
    name: string(1, { pointer: true }),
    protocol: string(2, { pointer: true, values: ['TCP', 'UDP', 'SCTP'] }),
    port: int32(3, { pointer: true }),
    appProtocol: string(4, { pointer: true }),
  },
  { atomic: true },
);
export type EndpointPort = Infer<typeof EndpointPort>;

export const EndpointSliceMessage = message('discovery.v1.EndpointSlice', {
  ...typeMeta,
  metadata,
  addressType: string(4, { required: true, values: ['IPv4', 'IPv6', 'FQDN'] }),
  endpoints: list(2, Endpoint),
  ports: list(3, EndpointPort),
});
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
