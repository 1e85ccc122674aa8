import type { Infer } from '../../schema.ts';
import { bool, int32, int64, list, map, message, object, string } from '../../schema.ts';
import { Container, EphemeralContainer } from './container.ts';
import { ResourceRequirements } from './resources.ts';
import { Affinity, Toleration, TopologySpreadConstraint } from './scheduling.ts';
import { PodSecurityContext } from './security.ts';
import { Volume } from './volumes.ts';
import { LocalObjectReference } from '../references.ts';

export const HostAlias = message('core.v1.HostAlias', {
  ip: string(1, { required: true }),
  hostnames: list(2, 'string'),
});
export type HostAlias = Infer<typeof HostAlias>;

export const PodDNSConfigOption = message('core.v1.PodDNSConfigOption', {
  name: string(1),
  value: string(2, { pointer: true }),
});
export type PodDNSConfigOption = Infer<typeof PodDNSConfigOption>;

export const PodDNSConfig = message('core.v1.PodDNSConfig', {
  nameservers: list(1, 'string'),
  searches: list(2, 'string'),
  options: list(3, PodDNSConfigOption),
});
export type PodDNSConfig = Infer<typeof PodDNSConfig>;

export const PodReadinessGate = message('core.v1.PodReadinessGate', {
  conditionType: string(1, { required: true }),
});
export type PodReadinessGate = Infer<typeof PodReadinessGate>;

export const PodOS = message('core.v1.PodOS', {
  name: string(1, { required: true }),
});
export type PodOS = Infer<typeof PodOS>;

export const PodSchedulingGate = message('core.v1.PodSchedulingGate', {
  name: string(1, { required: true }),
});
export type PodSchedulingGate = Infer<typeof PodSchedulingGate>;

export const PodResourceClaim = message('core.v1.PodResourceClaim', {
  name: string(1, { required: true }),
  resourceClaimName: string(3, { pointer: true }),
  resourceClaimTemplateName: string(4, { pointer: true }),
});
export type PodResourceClaim = Infer<typeof PodResourceClaim>;

export const PodSchedulingGroup = message('core.v1.PodSchedulingGroup', {
  podGroupName: string(1, { pointer: true }),
});
export type PodSchedulingGroup = Infer<typeof PodSchedulingGroup>;

export const PodSpec = message('core.v1.PodSpec', {
  volumes: list(1, Volume, { mergeKey: 'name', strategy: 'merge,retainKeys', listType: 'map', mapKeys: ['name'] }),
  initContainers: list(20, Container, { mergeKey: 'name', listType: 'map', mapKeys: ['name'] }),
  containers: list(2, Container, { required: true, mergeKey: 'name', listType: 'map', mapKeys: ['name'] }),
  ephemeralContainers: list(34, EphemeralContainer, { mergeKey: 'name', listType: 'map', mapKeys: ['name'] }),
  restartPolicy: string(3, { default: 'Always', values: ['Always', 'OnFailure', 'Never'] }),
  terminationGracePeriodSeconds: int64(4, { pointer: true, default: 30 }),
  activeDeadlineSeconds: int64(5, { pointer: true }),
  dnsPolicy: string(6, {
    default: 'ClusterFirst',
    values: ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'],
  }),
  nodeSelector: map(7, 'string', { mapType: 'atomic' }),
  serviceAccountName: string(8),
  serviceAccount: string(9),
  automountServiceAccountToken: bool(21, { pointer: true }),
  nodeName: string(10),
  hostNetwork: bool(11),
  hostPID: bool(12),
  hostIPC: bool(13),
  shareProcessNamespace: bool(27, { pointer: true }),
  securityContext: object(14, PodSecurityContext),
  imagePullSecrets: list(15, LocalObjectReference, { mergeKey: 'name', listType: 'map', mapKeys: ['name'] }),
  hostname: string(16),
  subdomain: string(17),
  affinity: object(18, Affinity),
  schedulerName: string(19, { default: 'default-scheduler' }),
  tolerations: list(22, Toleration),
  hostAliases: list(23, HostAlias, { mergeKey: 'ip', listType: 'map', mapKeys: ['ip'] }),
  priorityClassName: string(24),
  priority: int32(25, { pointer: true }),
  dnsConfig: object(26, PodDNSConfig),
  readinessGates: list(28, PodReadinessGate),
  runtimeClassName: string(29, { pointer: true }),
  enableServiceLinks: bool(30, { pointer: true }),
  preemptionPolicy: string(31, { pointer: true, values: ['PreemptLowerPriority', 'Never'] }),
  overhead: map(32, 'quantity'),
  topologySpreadConstraints: list(33, TopologySpreadConstraint, {
    mergeKey: 'topologyKey',
    listType: 'map',
    mapKeys: ['topologyKey', 'whenUnsatisfiable'],
  }),
  setHostnameAsFQDN: bool(35, { pointer: true }),
  os: object(36, PodOS),
  hostUsers: bool(37, { pointer: true }),
  schedulingGates: list(38, PodSchedulingGate, { mergeKey: 'name', listType: 'map', mapKeys: ['name'] }),
  resourceClaims: list(39, PodResourceClaim, {
    mergeKey: 'name',
    strategy: 'merge,retainKeys',
    listType: 'map',
    mapKeys: ['name'],
  }),
  resources: object(40, ResourceRequirements),
  hostnameOverride: string(41, { pointer: true }),
  schedulingGroup: object(43, PodSchedulingGroup),
});
export type PodSpec = Infer<typeof PodSpec>;
