import type { Infer } from '../schema.ts';
import { int32, int64, kind, list, map, message, object, string, time } from '../schema.ts';
import { PodTemplateSpec } from './pod/pod-template.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';

export const ReplicationControllerSpec = message('core.v1.ReplicationControllerSpec', {
  replicas: int32(1, { pointer: true, default: 1 }),
  minReadySeconds: int32(4, { default: 0 }),
  selector: map(2, 'string', { mapType: 'atomic' }),
  template: object(3, PodTemplateSpec),
});
export type ReplicationControllerSpec = Infer<typeof ReplicationControllerSpec>;

export const ReplicationControllerCondition = message('core.v1.ReplicationControllerCondition', {
  type: string(1, { required: true }),
  status: string(2, { required: true, values: ['True', 'False', 'Unknown'] }),
  lastTransitionTime: time(3),
  reason: string(4),
  message: string(5),
});
export type ReplicationControllerCondition = Infer<typeof ReplicationControllerCondition>;

export const ReplicationControllerStatus = message('core.v1.ReplicationControllerStatus', {
  replicas: int32(1, { required: true }),
  fullyLabeledReplicas: int32(2),
  readyReplicas: int32(4),
  availableReplicas: int32(5),
  observedGeneration: int64(3),
  conditions: list(6, ReplicationControllerCondition, { mergeKey: 'type', listType: 'map', mapKeys: ['type'] }),
});
export type ReplicationControllerStatus = Infer<typeof ReplicationControllerStatus>;

export const ReplicationControllerMessage = message('core.v1.ReplicationController', {
  ...typeMeta,
  metadata,
  spec: object(2, ReplicationControllerSpec, { present: true, pointer: false }),
  status: object(3, ReplicationControllerStatus, { pointer: false }),
});
export type ReplicationController = Infer<typeof ReplicationControllerMessage>;

export const ReplicationController = kind(ReplicationControllerMessage, {
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  namespaced: true,
  shortNames: ['rc'],
  categories: ['all'],
  hasGeneration: true,
  subresources: [
    { name: 'scale', verbs: ['get', 'patch', 'update'], kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' } },
    { name: 'status', verbs: ['get', 'patch', 'update'] },
  ],
});
