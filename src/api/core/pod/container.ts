import type { Infer } from '../../schema.ts';
import { bool, inline, int32, list, message, object, string } from '../../schema.ts';
import { EnvFromSource, EnvVar } from './container-env.ts';
import { Lifecycle, Probe } from './probe.ts';
import { ResourceRequirements } from './resources.ts';
import { SecurityContext } from './security.ts';

export const ContainerPort = message('core.v1.ContainerPort', {
  name: string(1),
  hostPort: int32(2),
  containerPort: int32(3, { required: true }),
  protocol: string(4, { default: 'TCP', values: ['TCP', 'UDP', 'SCTP'] }),
  hostIP: string(5),
});
export type ContainerPort = Infer<typeof ContainerPort>;

export const ContainerResizePolicy = message('core.v1.ContainerResizePolicy', {
  resourceName: string(1, { required: true }),
  restartPolicy: string(2, { required: true }),
});
export type ContainerResizePolicy = Infer<typeof ContainerResizePolicy>;

export const ContainerRestartRuleOnExitCodes = message('core.v1.ContainerRestartRuleOnExitCodes', {
  operator: string(1),
  values: list(2, 'int32', { listType: 'set' }),
});
export type ContainerRestartRuleOnExitCodes = Infer<typeof ContainerRestartRuleOnExitCodes>;

export const ContainerRestartRule = message('core.v1.ContainerRestartRule', {
  action: string(1),
  exitCodes: object(2, ContainerRestartRuleOnExitCodes),
});
export type ContainerRestartRule = Infer<typeof ContainerRestartRule>;

export const VolumeMount = message('core.v1.VolumeMount', {
  name: string(1, { required: true }),
  readOnly: bool(2),
  recursiveReadOnly: string(7, { pointer: true }),
  mountPath: string(3, { required: true }),
  subPath: string(4),
  mountPropagation: string(5, { pointer: true, values: ['None', 'HostToContainer', 'Bidirectional'] }),
  subPathExpr: string(6),
});
export type VolumeMount = Infer<typeof VolumeMount>;

export const VolumeDevice = message('core.v1.VolumeDevice', {
  name: string(1, { required: true }),
  devicePath: string(2, { required: true }),
});
export type VolumeDevice = Infer<typeof VolumeDevice>;

export const Container = message('core.v1.Container', {
  name: string(1, { required: true }),
  image: string(2),
  command: list(3, 'string'),
  args: list(4, 'string'),
  workingDir: string(5),
  ports: list(6, ContainerPort, { mergeKey: 'containerPort', listType: 'map', mapKeys: ['containerPort', 'protocol'] }),
  envFrom: list(19, EnvFromSource),
  env: list(7, EnvVar, { mergeKey: 'name', listType: 'map', mapKeys: ['name'] }),
  resources: object(8, ResourceRequirements, { pointer: false }),
  resizePolicy: list(23, ContainerResizePolicy),
  restartPolicy: string(24, { pointer: true }),
  restartPolicyRules: list(25, ContainerRestartRule),
  volumeMounts: list(9, VolumeMount, { mergeKey: 'mountPath', listType: 'map', mapKeys: ['mountPath'] }),
  volumeDevices: list(21, VolumeDevice, { mergeKey: 'devicePath', listType: 'map', mapKeys: ['devicePath'] }),
  livenessProbe: object(10, Probe),
  readinessProbe: object(11, Probe),
  startupProbe: object(22, Probe),
  lifecycle: object(12, Lifecycle),
  terminationMessagePath: string(13, { default: '/dev/termination-log' }),
  terminationMessagePolicy: string(20, { default: 'File', values: ['File', 'FallbackToLogsOnError'] }),
  imagePullPolicy: string(14, { values: ['Always', 'Never', 'IfNotPresent'] }),
  securityContext: object(15, SecurityContext),
  stdin: bool(16),
  stdinOnce: bool(17),
  tty: bool(18),
});
export type Container = Infer<typeof Container>;

export const EphemeralContainerCommon = message('core.v1.EphemeralContainerCommon', {
  name: string(1, { required: true }),
  image: string(2),
  command: list(3, 'string'),
  args: list(4, 'string'),
  workingDir: string(5),
  ports: list(6, ContainerPort, { mergeKey: 'containerPort', listType: 'map', mapKeys: ['containerPort', 'protocol'] }),
  envFrom: list(19, EnvFromSource),
  env: list(7, EnvVar, { mergeKey: 'name', listType: 'map', mapKeys: ['name'] }),
  resources: object(8, ResourceRequirements, { pointer: false }),
  resizePolicy: list(23, ContainerResizePolicy),
  restartPolicy: string(24, { pointer: true }),
  restartPolicyRules: list(25, ContainerRestartRule),
  volumeMounts: list(9, VolumeMount, { mergeKey: 'mountPath', listType: 'map', mapKeys: ['mountPath'] }),
  volumeDevices: list(21, VolumeDevice, { mergeKey: 'devicePath', listType: 'map', mapKeys: ['devicePath'] }),
  livenessProbe: object(10, Probe),
  readinessProbe: object(11, Probe),
  startupProbe: object(22, Probe),
  lifecycle: object(12, Lifecycle),
  terminationMessagePath: string(13, { default: '/dev/termination-log' }),
  terminationMessagePolicy: string(20, { default: 'File', values: ['File', 'FallbackToLogsOnError'] }),
  imagePullPolicy: string(14, { values: ['Always', 'Never', 'IfNotPresent'] }),
  securityContext: object(15, SecurityContext),
  stdin: bool(16),
  stdinOnce: bool(17),
  tty: bool(18),
});
export type EphemeralContainerCommon = Infer<typeof EphemeralContainerCommon>;

export const EphemeralContainer = message('core.v1.EphemeralContainer', {
  ...inline(1, EphemeralContainerCommon),
  targetContainerName: string(2),
});
export type EphemeralContainer = Infer<typeof EphemeralContainer>;
