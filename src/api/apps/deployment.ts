import type { Infer } from '../schema.ts';
import { bool, int32, int64, intOrString, kind, list, message, object, string, time } from '../schema.ts';
import { PodTemplateSpec } from '../core/pod/pod-template.ts';
import { LabelSelector } from '../meta/label-selector.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import { deploymentColumns } from './deployment-columns.ts';
import { defaultDeployment } from './deployment-defaults.ts';
import { validateDeployment, validateDeploymentUpdate } from './deployment-validation.ts';
import { scaleSubresource, statusSubresource } from '../subresources.ts';

export const RollingUpdateDeployment = message('apps.v1.RollingUpdateDeployment', {
  maxUnavailable: intOrString(1, { pointer: true }),
  maxSurge: intOrString(2, { pointer: true }),
});
export type RollingUpdateDeployment = Infer<typeof RollingUpdateDeployment>;

export const DeploymentStrategy = message('apps.v1.DeploymentStrategy', {
  type: string(1, { values: ['Recreate', 'RollingUpdate'] }),
  rollingUpdate: object(2, RollingUpdateDeployment),
});
export type DeploymentStrategy = Infer<typeof DeploymentStrategy>;

export const DeploymentSpec = message('apps.v1.DeploymentSpec', {
  replicas: int32(1, { pointer: true, default: 1 }),
  selector: object(2, LabelSelector, { required: true }),
  template: object(3, PodTemplateSpec, { required: true, pointer: false }),
  strategy: object(4, DeploymentStrategy, { pointer: false, strategy: 'retainKeys' }),
  minReadySeconds: int32(5),
  revisionHistoryLimit: int32(6, { pointer: true, default: 10 }),
  paused: bool(7),
  progressDeadlineSeconds: int32(9, { pointer: true, default: 600 }),
});
export type DeploymentSpec = Infer<typeof DeploymentSpec>;

export const DeploymentCondition = message('apps.v1.DeploymentCondition', {
  type: string(1, { required: true }),
  status: string(2, { required: true, values: ['True', 'False', 'Unknown'] }),
  lastUpdateTime: time(6),
  lastTransitionTime: time(7),
  reason: string(4),
  message: string(5),
});
export type DeploymentCondition = Infer<typeof DeploymentCondition>;

export const DeploymentStatus = message('apps.v1.DeploymentStatus', {
  observedGeneration: int64(1),
  replicas: int32(2),
  updatedReplicas: int32(3),
  readyReplicas: int32(7),
  availableReplicas: int32(4),
  unavailableReplicas: int32(5),
  terminatingReplicas: int32(9, { pointer: true }),
  conditions: list(6, DeploymentCondition, { mergeKey: 'type', listType: 'map', mapKeys: ['type'] }),
  collisionCount: int32(8, { pointer: true }),
});
export type DeploymentStatus = Infer<typeof DeploymentStatus>;

export const DeploymentMessage = message('apps.v1.Deployment', {
  ...typeMeta,
  metadata,
  spec: object(2, DeploymentSpec, { present: true, pointer: false }),
  status: object(3, DeploymentStatus, { pointer: false }),
});
export type Deployment = Infer<typeof DeploymentMessage>;

export const Deployment = kind(DeploymentMessage, {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
  shortNames: ['deploy'],
  categories: ['all'],
  hasGeneration: true,
  subresources: [scaleSubresource, statusSubresource],
  columns: deploymentColumns,
  setDefaults: defaultDeployment,
  validate: validateDeployment,
  validateUpdate: validateDeploymentUpdate,
});
