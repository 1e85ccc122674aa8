import { PodTemplateSpec } from '../core/pod/pod-template.ts';
import { bool, int32, int64, intOrString, kind, list, message, object, string, time } from '../declare.ts';
import { LabelSelector } from '../meta/label-selector.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Infer } from '../schema.ts';
import { scaleSubresource, statusSubresource } from '../subresources.ts';
import { deploymentColumns } from './deployment-columns.ts';
import { defaultDeployment } from './deployment-defaults.ts';
import { validateDeployment, validateDeploymentUpdate } from './deployment-validation.ts';

/** Deployments: equal Pods, replaced step by step. */

export const RollingUpdateDeployment = message(
  'apps.v1.RollingUpdateDeployment',
  {
    maxUnavailable: intOrString(1, { doc: 'How many may be missing meanwhile: a number or a share.', pointer: true }),
    maxSurge: intOrString(2, { doc: 'How many there may be too many meanwhile: a number or a share.', pointer: true }),
  },
  { doc: 'How many Pods at a time.' },
);
export type RollingUpdateDeployment = Infer<typeof RollingUpdateDeployment>;

export const DeploymentStrategy = message(
  'apps.v1.DeploymentStrategy',
  {
    type: string(1, {
      doc: '`RollingUpdate` a few at a time, `Recreate` all at once.',
      values: ['Recreate', 'RollingUpdate'],
    }),
    rollingUpdate: object(2, RollingUpdateDeployment, { doc: 'How many at a time.' }),
  },
  { doc: 'How Pods are replaced.' },
);
export type DeploymentStrategy = Infer<typeof DeploymentStrategy>;

export const DeploymentSpec = message(
  'apps.v1.DeploymentSpec',
  {
    replicas: int32(1, { doc: 'How many Pods.', pointer: true, default: 1 }),
    selector: object(2, LabelSelector, { doc: 'Labels of its Pods. Stays.', required: true }),
    template: object(3, PodTemplateSpec, {
      doc: 'What its Pods look like. A change replaces them.',
      required: true,
      pointer: false,
    }),
    strategy: object(4, DeploymentStrategy, { doc: 'How Pods are replaced.', pointer: false, strategy: 'retainKeys' }),
    minReadySeconds: int32(5, { doc: 'How long a Pod must have been ready to count as available.' }),
    revisionHistoryLimit: int32(6, {
      doc: 'How many old ReplicaSets are kept for going back.',
      pointer: true,
      default: 10,
    }),
    paused: bool(7, { doc: 'Changes of the template wait.' }),
    progressDeadlineSeconds: int32(9, {
      doc: 'After how long without progress it counts as failed.',
      pointer: true,
      default: 600,
    }),
  },
  { doc: 'How many Pods of which form, and how to replace them.' },
);
export type DeploymentSpec = Infer<typeof DeploymentSpec>;

export const DeploymentCondition = message(
  'apps.v1.DeploymentCondition',
  {
    type: string(1, { doc: 'Which aspect.', required: true }),
    status: string(2, { doc: '`True`, `False` or `Unknown`.', required: true, values: ['True', 'False', 'Unknown'] }),
    lastUpdateTime: time(6, { doc: 'When it was looked at last.' }),
    lastTransitionTime: time(7, { doc: 'When `status` changed last.' }),
    reason: string(4, { doc: 'One word for programs.' }),
    message: string(5, { doc: 'A sentence for people.' }),
  },
  { doc: 'One aspect of the state.' },
);
export type DeploymentCondition = Infer<typeof DeploymentCondition>;

export const DeploymentStatus = message(
  'apps.v1.DeploymentStatus',
  {
    observedGeneration: int64(1, { doc: 'The generation that the controller acts on.' }),
    replicas: int32(2, { doc: 'Pods there are.' }),
    updatedReplicas: int32(3, { doc: 'Pods of the current template.' }),
    readyReplicas: int32(7, { doc: 'Pods that are ready.' }),
    availableReplicas: int32(4, { doc: 'Pods that have been ready for long enough.' }),
    unavailableReplicas: int32(5, { doc: 'Pods that are missing.' }),
    terminatingReplicas: int32(9, { doc: 'Pods that are stopping.', pointer: true }),
    conditions: list(6, DeploymentCondition, {
      doc: 'Aspects of its state.',
      mergeKey: 'type',
      listType: 'map',
      mapKeys: ['type'],
    }),
    collisionCount: int32(8, { doc: 'Helps to find a free name for a new ReplicaSet.', pointer: true }),
  },
  { doc: 'What became of a Deployment.' },
);
export type DeploymentStatus = Infer<typeof DeploymentStatus>;

export const DeploymentMessage = message(
  'apps.v1.Deployment',
  {
    ...typeMeta,
    metadata,
    spec: object(2, DeploymentSpec, { present: true, doc: 'What the author wants.', pointer: false }),
    status: object(3, DeploymentStatus, {
      doc: 'What the system observed. Written by controllers, never by authors.',
      pointer: false,
    }),
  },
  { doc: 'Keeps a number of equal Pods running and replaces them step by step.' },
);
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
