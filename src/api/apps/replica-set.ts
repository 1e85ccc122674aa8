import type { Infer } from '../schema.ts';
import { int32, int64, kind, list, message, object, string, time } from '../schema.ts';
import { PodTemplateSpec } from '../core/pod/pod-template.ts';
import { LabelSelector } from '../meta/label-selector.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';

export const ReplicaSetSpec = message('apps.v1.ReplicaSetSpec', {
  replicas: int32(1, { pointer: true }),
  minReadySeconds: int32(4),
  selector: object(2, LabelSelector, { required: true }),
  template: object(3, PodTemplateSpec, { pointer: false }),
});
export type ReplicaSetSpec = Infer<typeof ReplicaSetSpec>;

export const ReplicaSetCondition = message('apps.v1.ReplicaSetCondition', {
  type: string(1, { required: true }),
  status: string(2, { required: true, values: ['True', 'False', 'Unknown'] }),
  lastTransitionTime: time(3),
  reason: string(4),
  message: string(5),
});
export type ReplicaSetCondition = Infer<typeof ReplicaSetCondition>;

export const ReplicaSetStatus = message('apps.v1.ReplicaSetStatus', {
  replicas: int32(1, { required: true }),
  fullyLabeledReplicas: int32(2),
  readyReplicas: int32(4),
  availableReplicas: int32(5),
  terminatingReplicas: int32(7, { pointer: true }),
  observedGeneration: int64(3),
  conditions: list(6, ReplicaSetCondition, { mergeKey: 'type', listType: 'map', mapKeys: ['type'] }),
});
export type ReplicaSetStatus = Infer<typeof ReplicaSetStatus>;

export const ReplicaSetMessage = message('apps.v1.ReplicaSet', {
  ...typeMeta,
  metadata,
  spec: object(2, ReplicaSetSpec, { present: true, pointer: false }),
  status: object(3, ReplicaSetStatus, { pointer: false }),
});
export type ReplicaSet = Infer<typeof ReplicaSetMessage>;

export const ReplicaSet = kind(ReplicaSetMessage, {
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  namespaced: true,
  shortNames: ['rs'],
  categories: ['all'],
  hasGeneration: true,
  subresources: [
    { name: 'scale', verbs: ['get', 'patch', 'update'], kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' } },
    { name: 'status', verbs: ['get', 'patch', 'update'] },
  ],
});
