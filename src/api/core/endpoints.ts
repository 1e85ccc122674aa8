import { ipAddress, reachableAddress } from '../addresses.ts';
import { ageColumn, listStart, nameColumn } from '../columns.ts';
import { int32, kind, list, message, object, string } from '../declare.ts';
import { Issues } from '../issues.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import { dnsLabel, portNumber } from '../names.ts';
import type { Checked, Infer, ValidationContext } from '../schema.ts';
import { ObjectReference } from './references.ts';

/** Endpoints: the deprecated form of EndpointSlices. */

export const EndpointAddress = message(
  'core.v1.EndpointAddress',
  {
    ip: string(1, { doc: 'Its address.', required: true }),
    hostname: string(3, { doc: 'Its own name below the name of the Service.' }),
    nodeName: string(4, { doc: 'The node it is on.', pointer: true }),
    targetRef: object(2, ObjectReference, { doc: 'The object behind it.' }),
  },
  { doc: 'One backend.', atomic: true },
);
export type EndpointAddress = Infer<typeof EndpointAddress>;

export const EndpointPort = message(
  'core.v1.EndpointPort',
  {
    name: string(1, { doc: 'Name of the port of the Service.' }),
    port: int32(2, { doc: 'The number.', required: true }),
    protocol: string(3, { doc: 'TCP, UDP or SCTP.', values: ['TCP', 'UDP', 'SCTP'] }),
    appProtocol: string(4, { doc: 'What is spoken on the port, as a hint.', pointer: true }),
  },
  { doc: 'A port of a subset.', atomic: true },
);
export type EndpointPort = Infer<typeof EndpointPort>;

export const EndpointSubset = message(
  'core.v1.EndpointSubset',
  {
    addresses: list(1, EndpointAddress, { doc: 'Backends that are ready.' }),
    notReadyAddresses: list(2, EndpointAddress, { doc: 'Backends that are not.' }),
    ports: list(3, EndpointPort, { doc: 'Their ports.' }),
  },
  { doc: 'Addresses that share ports.' },
);
export type EndpointSubset = Infer<typeof EndpointSubset>;

export const EndpointsMessage = message(
  'core.v1.Endpoints',
  {
    ...typeMeta,
    metadata,
    subsets: list(2, EndpointSubset, { doc: 'Addresses and ports that belong together.' }),
  },
  { doc: 'The backends of a Service in the form of before EndpointSlices. Deprecated.' },
);
export type Endpoints = Infer<typeof EndpointsMessage>;

function formatAddress(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function formatEndpoints({ subsets = [] }: Endpoints): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) => {
    if (ports.length === 0) return addresses.map(({ ip }) => ip);
    return ports.flatMap(({ port }) => addresses.map(({ ip }) => formatAddress(ip, port)));
  });
  return listStart(all) || '<none>';
}

function checkAddress(issues: Issues, path: string, address: EndpointAddress, context: ValidationContext): void {
  const wrong = ipAddress(address.ip);
  const messages = wrong.length > 0 ? wrong : reachableAddress(address.ip, context.allowLoopback === true);
  issues.invalidAll(`${path}.ip`, address.ip, messages);
  if (address.hostname !== undefined)
    issues.invalidAll(`${path}.hostname`, address.hostname, dnsLabel(address.hostname));
}

function checkPort(issues: Issues, path: string, port: EndpointPort, needsName: boolean): void {
  if (port.name !== undefined) issues.invalidAll(`${path}.name`, port.name, dnsLabel(port.name));
  else if (needsName) issues.required(`${path}.name`);
  issues.invalidAll(`${path}.port`, port.port, portNumber(port.port));
  issues.oneOf(`${path}.protocol`, port.protocol, ['TCP', 'UDP', 'SCTP']);
}

function checkSubset(issues: Issues, path: string, subset: EndpointSubset, context: ValidationContext): void {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  if (addresses.length + notReadyAddresses.length === 0) {
    issues.required(path, 'must specify `addresses` or `notReadyAddresses`');
  }
  for (const [index, each] of addresses.entries()) checkAddress(issues, `${path}.addresses[${index}]`, each, context);
  for (const [index, each] of notReadyAddresses.entries()) {
    checkAddress(issues, `${path}.notReadyAddresses[${index}]`, each, context);
  }
  for (const [index, each] of ports.entries()) checkPort(issues, `${path}.ports[${index}]`, each, ports.length > 1);
}

function validateEndpoints({ subsets = [] }: Endpoints, context: ValidationContext): Checked {
  const issues = new Issues();
  for (const [index, subset] of subsets.entries()) checkSubset(issues, `subsets[${index}]`, subset, context);
  issues.warn('v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice');
  return issues.result();
}

export const Endpoints = kind(EndpointsMessage, {
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  namespaced: true,
  shortNames: ['ep'],
  createOnUpdate: true,
  columns: [
    nameColumn,
    { name: 'Endpoints', type: 'string', doc: 'The first addresses with their ports.', cell: formatEndpoints },
    ageColumn,
  ],
  validate: validateEndpoints,
});
