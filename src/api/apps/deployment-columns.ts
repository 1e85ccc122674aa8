import { ageColumn, nameColumn } from '../columns.ts';
import type { Column } from '../schema.ts';
import type { Deployment } from './deployment.ts';
import { containerColumns, formatLabelSelector } from './workload.ts';

/** How `kubectl get deployments` shows a Deployment. */
export const deploymentColumns: readonly Column<Deployment>[] = [
  nameColumn,
  {
    name: 'Ready',
    type: 'string',
    doc: 'Ready Pods of those wanted.',
    cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
  },
  {
    name: 'Up-to-date',
    type: 'integer',
    doc: 'Pods that run the current template.',
    cell: ({ status }) => status?.updatedReplicas ?? 0,
  },
  {
    name: 'Available',
    type: 'integer',
    doc: 'Pods that have been ready for long enough.',
    cell: ({ status }) => status?.availableReplicas ?? 0,
  },
  ageColumn,
  ...containerColumns,
  {
    name: 'Selector',
    type: 'string',
    priority: 1,
    doc: 'Labels of its Pods.',
    cell: ({ spec }) => formatLabelSelector(spec.selector),
  },
];
