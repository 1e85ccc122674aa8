import { ageColumn, nameColumn } from '../columns.ts';
import type { Column } from '../schema.ts';
import type { Node } from './node.ts';

const rolePrefix = 'node-role.kubernetes.io/';

function formatStatus({ spec, status }: Node): string {
  const ready = (status?.conditions ?? []).find((condition) => condition.type === 'Ready');
  const state = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return spec.unschedulable === true ? `${state},SchedulingDisabled` : state;
}

function formatRoles({ metadata }: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix)) roles.add(key.slice(rolePrefix.length));
    else if (key === 'kubernetes.io/role' && value !== '') roles.add(value);
  }
  return (
    [...roles]
      .filter((role) => role !== '')
      .sort()
      .join(',') || '<none>'
  );
}

function addressColumn(name: string, type: string): Column<Node> {
  return {
    name,
    type: 'string',
    priority: 1,
    cell: ({ status }) => (status?.addresses ?? []).find((each) => each.type === type)?.address ?? '<none>',
  };
}

/** How `kubectl get nodes` shows a Node. */
export const nodeColumns: readonly Column<Node>[] = [
  nameColumn,
  { name: 'Status', type: 'string', doc: 'Is it ready, and may it get new Pods?', cell: formatStatus },
  { name: 'Roles', type: 'string', doc: 'From its role labels.', cell: formatRoles },
  ageColumn,
  {
    name: 'Version',
    type: 'string',
    doc: 'Version of its agent.',
    cell: ({ status }) => status?.nodeInfo?.kubeletVersion ?? '',
  },
  addressColumn('Internal-IP', 'InternalIP'),
  addressColumn('External-IP', 'ExternalIP'),
  { name: 'OS-Image', type: 'string', priority: 1, cell: ({ status }) => status?.nodeInfo?.osImage || '<unknown>' },
  {
    name: 'Kernel-Version',
    type: 'string',
    priority: 1,
    cell: ({ status }) => status?.nodeInfo?.kernelVersion || '<unknown>',
  },
  {
    name: 'Container-Runtime',
    type: 'string',
    priority: 1,
    cell: ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
  },
];
