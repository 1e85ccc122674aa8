import { familyOf } from '../../lib/ip.ts';
import { ipAddress, reachableAddress } from '../addresses.ts';
import { Issues } from '../issues.ts';
import { dnsLabel, dnsSubdomain, labelValue, portNumber, qualifiedName } from '../names.ts';
import type { Checked, ValidationContext } from '../schema.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from './endpoint-slice.ts';

/** The rules of EndpointSlices. Source: the discovery API of Kubernetes 1.36. */

const mostEndpoints = 1000;
const mostAddresses = 100;
const mostPorts = 20_000;
const mostHints = 8;

function addressMessages(type: string, address: string, context: ValidationContext): readonly string[] {
  if (type === 'FQDN') return dnsSubdomain(address);
  const wrong = ipAddress(address);
  if (wrong.length > 0) return wrong;
  if (familyOf(address) !== type) return [`must be a valid ${type} address`];
  return reachableAddress(address, context.allowLoopback === true);
}

function checkAddresses(
  issues: Issues,
  path: string,
  type: string,
  endpoint: Endpoint,
  context: ValidationContext,
): void {
  const addresses = endpoint.addresses ?? [];
  if (addresses.length === 0) issues.required(`${path}.addresses`, 'must contain at least 1 address');
  if (addresses.length > mostAddresses) issues.tooMany(`${path}.addresses`, addresses.length, mostAddresses);
  const seen = new Set<string>();
  for (const [index, address] of addresses.entries()) {
    issues.invalidAll(`${path}.addresses[${index}]`, address, addressMessages(type, address, context));
    if (seen.has(address)) issues.duplicate(`${path}.addresses[${index}]`, address);
    seen.add(address);
  }
}

function checkHints(issues: Issues, path: string, field: string, names: readonly string[]): void {
  if (names.length > mostHints) issues.tooMany(`${path}.hints.${field}`, names.length, mostHints);
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    const where = `${path}.hints.${field}[${index}].name`;
    if (seen.has(name)) issues.duplicate(where, name);
    seen.add(name);
    issues.invalidAll(where, name, field === 'forNodes' ? dnsSubdomain(name) : labelValue(name));
  }
}

function checkEndpoint(issues: Issues, path: string, endpoint: Endpoint): void {
  const { hostname, nodeName, hints, deprecatedTopology = {} } = endpoint;
  if (hostname !== undefined) issues.invalidAll(`${path}.hostname`, hostname, dnsLabel(hostname));
  if (nodeName !== undefined) issues.invalidAll(`${path}.nodeName`, nodeName, dnsSubdomain(nodeName));
  if (deprecatedTopology['kubernetes.io/hostname'] !== undefined) {
    issues.forbidden(`${path}.deprecatedTopology`, 'may not be set to kubernetes.io/hostname: use nodeName instead');
  }
  checkHints(
    issues,
    path,
    'forZones',
    (hints?.forZones ?? []).map((each) => each.name),
  );
  checkHints(
    issues,
    path,
    'forNodes',
    (hints?.forNodes ?? []).map((each) => each.name),
  );
}

function checkPort(issues: Issues, path: string, port: EndpointPort, names: Set<string>): void {
  const name = port.name ?? '';
  if (names.has(name)) issues.duplicate(`${path}.name`, name);
  names.add(name);
  if (name !== '') issues.invalidAll(`${path}.name`, name, dnsLabel(name));
  issues.oneOf(`${path}.protocol`, port.protocol, ['TCP', 'UDP', 'SCTP']);
  if (port.port !== undefined) issues.invalidAll(`${path}.port`, port.port, portNumber(port.port));
  if (port.appProtocol === undefined) return;
  issues.invalidAll(`${path}.appProtocol`, port.appProtocol, qualifiedName(port.appProtocol));
}

/** Is the slice fit to be stored? */
export function validateEndpointSlice(slice: EndpointSlice, context: ValidationContext): Checked {
  const issues = new Issues();
  const { addressType, endpoints = [], ports = [] } = slice;
  if (addressType === undefined) issues.required('addressType');
  else issues.oneOf('addressType', addressType, ['IPv4', 'IPv6', 'FQDN']);
  if (endpoints.length > mostEndpoints) issues.tooMany('endpoints', endpoints.length, mostEndpoints);
  if (ports.length > mostPorts) issues.tooMany('ports', ports.length, mostPorts);
  for (const [index, endpoint] of endpoints.entries()) {
    checkAddresses(issues, `endpoints[${index}]`, addressType, endpoint, context);
    checkEndpoint(issues, `endpoints[${index}]`, endpoint);
  }
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) checkPort(issues, `ports[${index}]`, port, names);
  if (addressType === 'FQDN') issues.warn('addressType: FQDN is deprecated: nothing gives it a meaning');
  return issues.result();
}

/** The address type of a slice stays. */
export function validateEndpointSliceUpdate(slice: EndpointSlice, old: EndpointSlice): Checked {
  const issues = new Issues();
  issues.immutable('addressType', slice.addressType, old.addressType, slice.addressType === old.addressType);
  return issues.result();
}
