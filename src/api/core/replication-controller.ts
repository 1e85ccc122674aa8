import { ageColumn, nameColumn } from '../columns.ts';
import { int32, int64, kind, list, map, message, object, string, time } from '../declare.ts';
import { Issues } from '../issues.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Checked, Infer } from '../schema.ts';
import { matchesLabels, selectorFromMap } from '../selector.ts';
import { scaleSubresource, statusSubresource } from '../subresources.ts';
import { defaultPodTemplate } from './pod/pod-defaults.ts';
import { PodTemplateSpec } from './pod/pod-template.ts';
import { checkPodSpec } from './pod/pod-validation.ts';

/** ReplicationControllers: kept and served as data, nobody acts on them. */

export const ReplicationControllerSpec = message(
  'core.v1.ReplicationControllerSpec',
  {
    replicas: int32(1, { pointer: true, default: 1 }),
    minReadySeconds: int32(4, { default: 0 }),
    selector: map(2, 'string', { mapType: 'atomic' }),
    template: object(3, PodTemplateSpec),
  },
  { doc: 'How many Pods of which form.' },
);
export type ReplicationControllerSpec = Infer<typeof ReplicationControllerSpec>;

export const ReplicationControllerCondition = message(
  'core.v1.ReplicationControllerCondition',
  {
    type: string(1, { doc: 'Which aspect.', required: true }),
    status: string(2, { doc: '`True`, `False` or `Unknown`.', required: true, values: ['True', 'False', 'Unknown'] }),
    lastTransitionTime: time(3, { doc: 'When `status` changed last.' }),
    reason: string(4, { doc: 'One word for programs.' }),
    message: string(5, { doc: 'A sentence for people.' }),
  },
  { doc: 'One aspect of the state.' },
);
export type ReplicationControllerCondition = Infer<typeof ReplicationControllerCondition>;

export const ReplicationControllerStatus = message(
  'core.v1.ReplicationControllerStatus',
  {
    replicas: int32(1, { required: true }),
    fullyLabeledReplicas: int32(2),
    readyReplicas: int32(4),
    availableReplicas: int32(5),
    observedGeneration: int64(3),
    conditions: list(6, ReplicationControllerCondition, { mergeKey: 'type', listType: 'map', mapKeys: ['type'] }),
  },
  { doc: 'What became of a ReplicationController.' },
);
export type ReplicationControllerStatus = Infer<typeof ReplicationControllerStatus>;

export const ReplicationControllerMessage = message(
  'core.v1.ReplicationController',
  {
    ...typeMeta,
    metadata,
    spec: object(2, ReplicationControllerSpec, { present: true, doc: 'What the author wants.', pointer: false }),
    status: object(3, ReplicationControllerStatus, {
      doc: 'What the system observed. Written by controllers, never by authors.',
      pointer: false,
    }),
  },
  { doc: 'The predecessor of ReplicaSet.' },
);
export type ReplicationController = Infer<typeof ReplicationControllerMessage>;

/** Selector and labels come from the template when they are left out. */
function defaultController(controller: ReplicationController): ReplicationController {
  const { metadata, spec } = controller;
  const template = spec.template && defaultPodTemplate(spec.template);
  const labels = template?.metadata?.labels;
  return {
    ...controller,
    metadata: metadata.labels === undefined && labels !== undefined ? { ...metadata, labels } : metadata,
    spec: { ...spec, ...(template && { template }), ...(labels && { selector: spec.selector ?? labels }) },
  };
}

function validateController({ spec }: ReplicationController): Checked {
  const issues = new Issues();
  issues.nonNegative('spec.replicas', spec.replicas);
  if (spec.selector === undefined) issues.required('spec.selector');
  if (spec.template === undefined) issues.required('spec.template');
  else {
    const { labels } = spec.template.metadata ?? {};
    if (!matchesLabels(selectorFromMap(spec.selector), labels)) {
      issues.invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`');
    }
    checkPodSpec(issues, 'spec.template.spec', spec.template.spec ?? { containers: [] });
  }
  return issues.result();
}

export const ReplicationController = kind(ReplicationControllerMessage, {
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  namespaced: true,
  shortNames: ['rc'],
  categories: ['all'],
  hasGeneration: true,
  subresources: [scaleSubresource, statusSubresource],
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', doc: 'Pods it should have.', cell: ({ spec }) => spec.replicas ?? 0 },
    { name: 'Current', type: 'integer', doc: 'Pods it has.', cell: ({ status }) => status?.replicas ?? 0 },
    { name: 'Ready', type: 'integer', doc: 'Pods that are ready.', cell: ({ status }) => status?.readyReplicas ?? 0 },
    ageColumn,
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  setDefaults: defaultController,
  validate: validateController,
  prepareForCreate: (controller) => ({ ...controller, status: { replicas: 0 } }),
});
