import { ageColumn, formatLabels, nameColumn } from '../columns.ts';
import type { Column } from '../schema.ts';
import type { Service, ServicePort } from './service.ts';

function formatPort({ port, nodePort = 0, protocol }: ServicePort): string {
  return nodePort === 0 ? `${port}/${protocol}` : `${port}:${nodePort}/${protocol}`;
}

function formatPorts({ spec }: Service): string {
  return (spec.ports ?? []).map(formatPort).join(',') || '<none>';
}

function externalAddress({ spec, status }: Service): string {
  const externalIps = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ExternalName':
      return spec.externalName ?? '';
    case 'LoadBalancer': {
      const ingress = (status?.loadBalancer?.ingress ?? []).map((each) => each.ip ?? each.hostname ?? '');
      return [...ingress.filter((each) => each !== ''), ...externalIps].join(',') || '<pending>';
    }
    default:
      return externalIps.join(',') || '<none>';
  }
}

/** How `kubectl get services` shows a Service. */
export const serviceColumns: readonly Column<Service>[] = [
  nameColumn,
  { name: 'Type', type: 'string', doc: 'Who can reach it, and how.', cell: ({ spec }) => spec.type ?? 'ClusterIP' },
  {
    name: 'Cluster-IP',
    type: 'string',
    doc: 'The first virtual address inside the cluster.',
    cell: ({ spec }) => spec.clusterIPs?.[0] ?? spec.clusterIP ?? '<none>',
  },
  { name: 'External-IP', type: 'string', doc: 'Addresses or name for clients outside.', cell: externalAddress },
  { name: 'Port(s)', type: 'string', doc: 'Port, node port and protocol of each port.', cell: formatPorts },
  ageColumn,
  {
    name: 'Selector',
    type: 'string',
    doc: 'Labels of the Pods behind it.',
    priority: 1,
    cell: ({ spec }) => formatLabels(spec.selector),
  },
];
