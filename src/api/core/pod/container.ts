import { bool, inline, int32, list, message, object, string } from '../../declare.ts';
import type { Infer } from '../../schema.ts';
import { EnvFromSource, EnvVar } from './container-env.ts';
import { Lifecycle, Probe } from './probe.ts';
import { ResourceRequirements } from './resources.ts';
import { SecurityContext } from './security.ts';

/** Containers. */

export const ContainerPort = message(
  'core.v1.ContainerPort',
  {
    name: string(1, { doc: 'A name that Services can use. Unique in the Pod.' }),
    hostPort: int32(2, { doc: 'The same port of the node leads here.' }),
    containerPort: int32(3, { doc: 'The number.', required: true }),
    protocol: string(4, { doc: 'TCP, UDP or SCTP.', default: 'TCP', values: ['TCP', 'UDP', 'SCTP'] }),
    hostIP: string(5, { doc: 'The address of the node for `hostPort`.' }),
  },
  { doc: 'A port that a container listens on.' },
);
export type ContainerPort = Infer<typeof ContainerPort>;

export const ContainerResizePolicy = message(
  'core.v1.ContainerResizePolicy',
  {
    resourceName: string(1, { required: true }),
    restartPolicy: string(2, { required: true }),
  },
  { doc: 'What has to happen when a resource of a container changes.' },
);
export type ContainerResizePolicy = Infer<typeof ContainerResizePolicy>;

export const ContainerRestartRuleOnExitCodes = message(
  'core.v1.ContainerRestartRuleOnExitCodes',
  {
    operator: string(1),
    values: list(2, 'int32', { listType: 'set' }),
  },
  { doc: 'Exit codes that a rule is about.' },
);
export type ContainerRestartRuleOnExitCodes = Infer<typeof ContainerRestartRuleOnExitCodes>;

export const ContainerRestartRule = message(
  'core.v1.ContainerRestartRule',
  {
    action: string(1),
    exitCodes: object(2, ContainerRestartRuleOnExitCodes),
  },
  { doc: 'When to start a container again.' },
);
export type ContainerRestartRule = Infer<typeof ContainerRestartRule>;

export const VolumeMount = message(
  'core.v1.VolumeMount',
  {
    name: string(1, { doc: 'The volume.', required: true }),
    readOnly: bool(2, { doc: 'No writing.' }),
    recursiveReadOnly: string(7, { pointer: true }),
    mountPath: string(3, { doc: 'The path in the container.', required: true }),
    subPath: string(4, { doc: 'A path within the volume instead of its root.' }),
    mountPropagation: string(5, {
      doc: 'Whether later mounts are seen on the other side.',
      pointer: true,
      values: ['None', 'HostToContainer', 'Bidirectional'],
    }),
    subPathExpr: string(6, { doc: 'As `subPath`, with environment variables.' }),
  },
  { doc: 'Where a volume appears.' },
);
export type VolumeMount = Infer<typeof VolumeMount>;

export const VolumeDevice = message(
  'core.v1.VolumeDevice',
  {
    name: string(1, { required: true }),
    devicePath: string(2, { required: true }),
  },
  { doc: 'Where a block device appears in a container.' },
);
export type VolumeDevice = Infer<typeof VolumeDevice>;

/** Containers that are added for debugging have the same fields, under the same numbers. */
const containerFields = {
  name: string(1, { doc: 'Unique in the Pod. Never changes.', required: true }),
  image: string(2, { doc: 'What to run.' }),
  command: list(3, 'string', { doc: 'The program and its first arguments instead of those of the image.' }),
  args: list(4, 'string', { doc: 'Arguments for the program.' }),
  workingDir: string(5, { doc: 'The folder it starts in.' }),
  ports: list(6, ContainerPort, {
    doc: 'The ports it listens on; for information, except that Services may use their names.',
    mergeKey: 'containerPort',
    listType: 'map',
    mapKeys: ['containerPort', 'protocol'],
  }),
  envFrom: list(19, EnvFromSource, { doc: 'Whole ConfigMaps and Secrets as environment variables.' }),
  env: list(7, EnvVar, { doc: 'Environment variables.', mergeKey: 'name', listType: 'map', mapKeys: ['name'] }),
  resources: object(8, ResourceRequirements, { doc: 'What it needs and what it may use.', pointer: false }),
  resizePolicy: list(23, ContainerResizePolicy, { doc: 'What has to happen when its resources change.' }),
  restartPolicy: string(24, { doc: '`Always` makes an init container run beside the others.', pointer: true }),
  restartPolicyRules: list(25, ContainerRestartRule, { doc: 'When to start it again, by exit code.' }),
  volumeMounts: list(9, VolumeMount, {
    doc: 'Where volumes appear in its files.',
    mergeKey: 'mountPath',
    listType: 'map',
    mapKeys: ['mountPath'],
  }),
  volumeDevices: list(21, VolumeDevice, {
    doc: 'Where block devices appear.',
    mergeKey: 'devicePath',
    listType: 'map',
    mapKeys: ['devicePath'],
  }),
  livenessProbe: object(10, Probe, { doc: 'When it fails, the container is started again.' }),
  readinessProbe: object(11, Probe, { doc: 'While it fails, the Pod gets no traffic from Services.' }),
  startupProbe: object(22, Probe, { doc: 'The other probes wait for its success.' }),
  lifecycle: object(12, Lifecycle, { doc: 'What to do after the start and before the stop.' }),
  terminationMessagePath: string(13, {
    doc: 'The file it may leave its last words in.',
    default: '/dev/termination-log',
  }),
  terminationMessagePolicy: string(20, {
    doc: 'Where its last words come from.',
    default: 'File',
    values: ['File', 'FallbackToLogsOnError'],
  }),
  imagePullPolicy: string(14, { doc: 'When to fetch the image.', values: ['Always', 'Never', 'IfNotPresent'] }),
  securityContext: object(15, SecurityContext, { doc: 'Its privileges.' }),
  stdin: bool(16, { doc: 'Keep its standard input open.' }),
  stdinOnce: bool(17, { doc: 'Close standard input after the first client.' }),
  tty: bool(18, { doc: 'Give it a terminal.' }),
};

export const Container = message('core.v1.Container', containerFields, { doc: 'One program of a Pod.' });
export type Container = Infer<typeof Container>;

export const EphemeralContainerCommon = message('core.v1.EphemeralContainerCommon', containerFields, {
  doc: 'A container added for debugging.',
});
export type EphemeralContainerCommon = Infer<typeof EphemeralContainerCommon>;

export const EphemeralContainer = message(
  'core.v1.EphemeralContainer',
  {
    ...inline(1, EphemeralContainerCommon),
    targetContainerName: string(2),
  },
  { doc: 'A container that was added to a running Pod for debugging.' },
);
export type EphemeralContainer = Infer<typeof EphemeralContainer>;
