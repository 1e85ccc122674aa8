import { ageColumn, nameColumn } from '../columns.ts';
import { defaultPodTemplate } from '../core/pod/pod-defaults.ts';
import { PodTemplateSpec } from '../core/pod/pod-template.ts';
import { int32, int64, kind, list, message, object, string, time } from '../declare.ts';
import { Issues } from '../issues.ts';
import { LabelSelector } from '../meta/label-selector.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Checked, Infer, ValidationContext } from '../schema.ts';
import { scaleSubresource, statusSubresource } from '../subresources.ts';
import {
  checkSelector,
  checkSelectorChange,
  checkTemplate,
  containerColumns,
  formatLabelSelector,
} from './workload.ts';

/** ReplicaSets: a number of equal Pods. */

export const ReplicaSetSpec = message(
  'apps.v1.ReplicaSetSpec',
  {
    replicas: int32(1, { doc: 'How many Pods.', pointer: true, default: 1 }),
    minReadySeconds: int32(4, { doc: 'How long a Pod must have been ready to count as available.' }),
    selector: object(2, LabelSelector, { doc: 'Labels of its Pods. Stays.', required: true }),
    template: object(3, PodTemplateSpec, { doc: 'What its Pods look like.', pointer: false }),
  },
  { doc: 'How many Pods of which form.' },
);
export type ReplicaSetSpec = Infer<typeof ReplicaSetSpec>;

export const ReplicaSetCondition = message(
  'apps.v1.ReplicaSetCondition',
  {
    type: string(1, { doc: 'Which aspect.', required: true }),
    status: string(2, { doc: '`True`, `False` or `Unknown`.', required: true, values: ['True', 'False', 'Unknown'] }),
    lastTransitionTime: time(3, { doc: 'When `status` changed last.' }),
    reason: string(4, { doc: 'One word for programs.' }),
    message: string(5, { doc: 'A sentence for people.' }),
  },
  { doc: 'One aspect of the state.' },
);
export type ReplicaSetCondition = Infer<typeof ReplicaSetCondition>;

export const ReplicaSetStatus = message(
  'apps.v1.ReplicaSetStatus',
  {
    replicas: int32(1, { doc: 'Pods there are.', required: true }),
    fullyLabeledReplicas: int32(2, { doc: 'Pods with all labels of the template.' }),
    readyReplicas: int32(4, { doc: 'Pods that are ready.' }),
    availableReplicas: int32(5, { doc: 'Pods that have been ready for long enough.' }),
    terminatingReplicas: int32(7, { doc: 'Pods that are stopping.', pointer: true }),
    observedGeneration: int64(3, { doc: 'The generation that the controller acts on.' }),
    conditions: list(6, ReplicaSetCondition, {
      doc: 'Aspects of its state.',
      mergeKey: 'type',
      listType: 'map',
      mapKeys: ['type'],
    }),
  },
  { doc: 'What became of a ReplicaSet.' },
);
export type ReplicaSetStatus = Infer<typeof ReplicaSetStatus>;

export const ReplicaSetMessage = message(
  'apps.v1.ReplicaSet',
  {
    ...typeMeta,
    metadata,
    spec: object(2, ReplicaSetSpec, { present: true, doc: 'What the author wants.', pointer: false }),
    status: object(3, ReplicaSetStatus, {
      doc: 'What the system observed. Written by controllers, never by authors.',
      pointer: false,
    }),
  },
  { doc: 'Keeps a number of equal Pods running. Usually made by a Deployment.' },
);
export type ReplicaSet = Infer<typeof ReplicaSetMessage>;

function defaultReplicaSet(set: ReplicaSet): ReplicaSet {
  const { template } = set.spec;
  return template === undefined ? set : { ...set, spec: { ...set.spec, template: defaultPodTemplate(template) } };
}

function validateReplicaSet({ spec }: ReplicaSet, { subresource }: ValidationContext): Checked {
  const issues = new Issues();
  if (subresource === 'status') return issues.result();
  issues.nonNegative('spec.replicas', spec.replicas);
  issues.nonNegative('spec.minReadySeconds', spec.minReadySeconds);
  checkSelector(issues, spec.selector, 'deployment');
  checkTemplate(issues, spec.template, spec.selector);
  return issues.result();
}

function validateReplicaSetUpdate({ spec }: ReplicaSet, old: ReplicaSet): Checked {
  const issues = new Issues();
  checkSelectorChange(issues, spec.selector, old.spec.selector);
  return issues.result();
}

export const ReplicaSet = kind(ReplicaSetMessage, {
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  namespaced: true,
  shortNames: ['rs'],
  categories: ['all'],
  hasGeneration: true,
  subresources: [scaleSubresource, statusSubresource],
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', doc: 'Pods it should have.', cell: ({ spec }) => spec.replicas ?? 0 },
    { name: 'Current', type: 'integer', doc: 'Pods it has.', cell: ({ status }) => status?.replicas ?? 0 },
    { name: 'Ready', type: 'integer', doc: 'Pods that are ready.', cell: ({ status }) => status?.readyReplicas ?? 0 },
    ageColumn,
    ...containerColumns,
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      doc: 'Labels of its Pods.',
      cell: ({ spec }) => formatLabelSelector(spec.selector),
    },
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  setDefaults: defaultReplicaSet,
  validate: validateReplicaSet,
  validateUpdate: validateReplicaSetUpdate,
  prepareForCreate: (set) => ({ ...set, status: { replicas: 0 } }),
});
