import type { Endpoint, EndpointPort, EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { AnyObject } from '../objects/rest.ts';
import { identity } from './common.ts';
import type { Fields, Table } from './fields.ts';

/** An EndpointSlice: its ports and endpoints. */
export function describeEndpointSlice(slice: AnyObject & EndpointSlice): Fields {
  return [...identity(slice), ['Address type', slice.addressType], ['Endpoints', endpointTable([slice])]];
}

/** Every endpoint of some slices: address, ports, whether it gets traffic, and what it is. */
export function endpointTable(slices: readonly EndpointSlice[]): Table {
  const rows = slices.flatMap((slice) => {
    const ports = (slice.ports ?? []).map(portText).join(', ') || '<any>';
    return (slice.endpoints ?? []).map((endpoint) => [
      endpoint.addresses.join(','),
      ports,
      stateOf(endpoint),
      endpoint.targetRef ? `${endpoint.targetRef.kind ?? ''}/${endpoint.targetRef.name ?? ''}` : '<none>',
      endpoint.nodeName ?? '<none>',
      [endpoint.zone, endpoint.hostname].filter(Boolean).join(' ') || '<none>',
    ]);
  });
  return { heading: ['Address', 'Ports', 'State', 'Target', 'Node', 'Zone, hostname'], rows };
}

function portText({ name, port, protocol = 'TCP' }: EndpointPort): string {
  return `${name ? `${name} ` : ''}${port ?? 'any'}/${protocol}`;
}

/** An absent condition counts as good (EndpointSlice API: nil `ready` and `serving` mean true). */
function stateOf({ conditions }: Endpoint): string {
  if (conditions?.terminating) return conditions.serving ? 'Terminating, serving' : 'Terminating';
  return (conditions?.ready ?? true) ? 'Ready' : 'Not ready';
}
