import type { Infer } from '../../schema.ts';
import { int64, list, map, message, object, string, time } from '../../schema.ts';
import { ContainerStatus } from './container-status.ts';
import { ResourceRequirements } from './resources.ts';

export const PodCondition = message('core.v1.PodCondition', {
  type: string(1, { required: true }),
  observedGeneration: int64(7),
  status: string(2, { required: true, values: ['True', 'False', 'Unknown'] }),
  lastProbeTime: time(3),
  lastTransitionTime: time(4),
  reason: string(5),
  message: string(6),
});
export type PodCondition = Infer<typeof PodCondition>;

export const HostIP = message('core.v1.HostIP', {
  ip: string(1, { required: true }),
});
export type HostIP = Infer<typeof HostIP>;

export const PodIP = message('core.v1.PodIP', {
  ip: string(1, { required: true }),
});
export type PodIP = Infer<typeof PodIP>;

export const PodResourceClaimStatus = message('core.v1.PodResourceClaimStatus', {
  name: string(1, { required: true }),
  resourceClaimName: string(2, { pointer: true }),
});
export type PodResourceClaimStatus = Infer<typeof PodResourceClaimStatus>;

export const ContainerExtendedResourceRequest = message('core.v1.ContainerExtendedResourceRequest', {
  containerName: string(1, { required: true }),
  resourceName: string(2, { required: true }),
  requestName: string(3, { required: true }),
});
export type ContainerExtendedResourceRequest = Infer<typeof ContainerExtendedResourceRequest>;

export const PodExtendedResourceClaimStatus = message('core.v1.PodExtendedResourceClaimStatus', {
  requestMappings: list(1, ContainerExtendedResourceRequest, { required: true }),
  resourceClaimName: string(2, { required: true }),
});
export type PodExtendedResourceClaimStatus = Infer<typeof PodExtendedResourceClaimStatus>;

export const NodeAllocatableResourceClaimStatus = message('core.v1.NodeAllocatableResourceClaimStatus', {
  resourceClaimName: string(1, { required: true }),
  containers: list(2, 'string', { listType: 'set' }),
  resources: map(3, 'quantity', { required: true }),
});
export type NodeAllocatableResourceClaimStatus = Infer<typeof NodeAllocatableResourceClaimStatus>;

export const PodStatus = message('core.v1.PodStatus', {
  observedGeneration: int64(17),
  phase: string(1, { values: ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'] }),
  conditions: list(2, PodCondition, { mergeKey: 'type', listType: 'map', mapKeys: ['type'] }),
  message: string(3),
  reason: string(4),
  nominatedNodeName: string(11),
  hostIP: string(5),
  hostIPs: list(16, HostIP, { mergeKey: 'ip' }),
  podIP: string(6),
  podIPs: list(12, PodIP, { mergeKey: 'ip', listType: 'map', mapKeys: ['ip'] }),
  startTime: time(7, { pointer: true }),
  initContainerStatuses: list(10, ContainerStatus),
  containerStatuses: list(8, ContainerStatus),
  qosClass: string(9, { values: ['Guaranteed', 'Burstable', 'BestEffort'] }),
  ephemeralContainerStatuses: list(13, ContainerStatus),
  resize: string(14),
  resourceClaimStatuses: list(15, PodResourceClaimStatus, {
    mergeKey: 'name',
    strategy: 'merge,retainKeys',
    listType: 'map',
    mapKeys: ['name'],
  }),
  extendedResourceClaimStatus: object(18, PodExtendedResourceClaimStatus),
  allocatedResources: map(19, 'quantity'),
  resources: object(20, ResourceRequirements),
  nodeAllocatableResourceClaimStatuses: list(21, NodeAllocatableResourceClaimStatus),
});
export type PodStatus = Infer<typeof PodStatus>;
