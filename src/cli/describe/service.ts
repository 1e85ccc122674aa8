import type { Service, ServicePort } from '../../api/core/service.ts';
import type { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { AnyObject } from '../objects/rest.ts';
import { identity, pairs } from './common.ts';
import { endpointTable } from './endpoint-slice.ts';
import type { Fields, Table } from './fields.ts';

/** A Service: its addresses and ports, its rules, and every endpoint with its state. */
export function describeService(service: AnyObject & Service, slices: readonly EndpointSlice[]): Fields {
  const { spec, status } = service;
  const affinity = spec?.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  const balancers = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '');
  return [
    ...identity(service),
    ['Type', spec?.type ?? 'ClusterIP'],
    ['Selector', spec?.selector ? pairs(spec.selector) : '<none> (its EndpointSlices are made by hand)'],
    ['Cluster addresses', (spec?.clusterIPs ?? []).map((ip) => (ip === 'None' ? 'None (headless)' : ip))],
    ['IP families', spec?.ipFamilies && `${spec.ipFamilies.join(', ')} (${spec.ipFamilyPolicy ?? 'SingleStack'})`],
    ['External name', spec?.externalName],
    ['External addresses', spec?.externalIPs],
    ['Load balancer', balancers.length === 0 ? undefined : balancers],
    ['Session affinity', `${spec?.sessionAffinity ?? 'None'}${affinity === undefined ? '' : ` (${affinity}s)`}`],
    ['Internal traffic', spec?.internalTrafficPolicy],
    ['External traffic', spec?.externalTrafficPolicy],
    ['Traffic distribution', spec?.trafficDistribution],
    ['Publishes unready', spec?.publishNotReadyAddresses ? 'True' : undefined],
    ['Ports', portTable(spec?.ports)],
    ['Endpoints', endpointTable(slices)],
  ];
}

function portTable(ports: readonly ServicePort[] | undefined): Table {
  return {
    heading: ['Name', 'Port', 'Target', 'Node port'],
    rows: (ports ?? []).map(({ name, port, protocol = 'TCP', targetPort, nodePort }) => [
      name ?? '<unset>',
      `${port}/${protocol}`,
      String(targetPort ?? port),
      nodePort === undefined ? '<none>' : String(nodePort),
    ]),
  };
}
