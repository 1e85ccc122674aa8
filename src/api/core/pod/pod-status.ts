import { int64, list, map, message, object, string, time } from '../../declare.ts';
import type { Infer } from '../../schema.ts';
import { ContainerStatus } from './container-status.ts';
import { ResourceRequirements } from './resources.ts';

/** What became of a Pod. */

export const PodCondition = message(
  'core.v1.PodCondition',
  {
    type: string(1, {
      doc: 'Which aspect: `PodScheduled`, `Initialized`, `ContainersReady`, `Ready` and others.',
      required: true,
    }),
    observedGeneration: int64(7),
    status: string(2, { doc: '`True`, `False` or `Unknown`.', required: true, values: ['True', 'False', 'Unknown'] }),
    lastProbeTime: time(3, { doc: 'When it was looked at last.' }),
    lastTransitionTime: time(4, { doc: 'When `status` changed last.' }),
    reason: string(5, { doc: 'One word for programs.' }),
    message: string(6, { doc: 'A sentence for people.' }),
  },
  { doc: 'One aspect of the state of a Pod.' },
);
export type PodCondition = Infer<typeof PodCondition>;

export const HostIP = message(
  'core.v1.HostIP',
  {
    ip: string(1, { required: true }),
  },
  { doc: 'An address of the node.' },
);
export type HostIP = Infer<typeof HostIP>;

export const PodIP = message(
  'core.v1.PodIP',
  {
    ip: string(1, { required: true }),
  },
  { doc: 'An address of the Pod.' },
);
export type PodIP = Infer<typeof PodIP>;

export const PodResourceClaimStatus = message(
  'core.v1.PodResourceClaimStatus',
  {
    name: string(1, { required: true }),
    resourceClaimName: string(2, { pointer: true }),
  },
  { doc: 'What became of a claim on a device.' },
);
export type PodResourceClaimStatus = Infer<typeof PodResourceClaimStatus>;

export const ContainerExtendedResourceRequest = message(
  'core.v1.ContainerExtendedResourceRequest',
  {
    containerName: string(1, { required: true }),
    resourceName: string(2, { required: true }),
    requestName: string(3, { required: true }),
  },
  { doc: 'Which request of a container a claim serves.' },
);
export type ContainerExtendedResourceRequest = Infer<typeof ContainerExtendedResourceRequest>;

export const PodExtendedResourceClaimStatus = message(
  'core.v1.PodExtendedResourceClaimStatus',
  {
    requestMappings: list(1, ContainerExtendedResourceRequest, { required: true }),
    resourceClaimName: string(2, { required: true }),
  },
  { doc: 'What became of a claim that was made for the Pod.' },
);
export type PodExtendedResourceClaimStatus = Infer<typeof PodExtendedResourceClaimStatus>;

export const NodeAllocatableResourceClaimStatus = message(
  'core.v1.NodeAllocatableResourceClaimStatus',
  {
    resourceClaimName: string(1, { required: true }),
    containers: list(2, 'string', { listType: 'set' }),
    resources: map(3, 'quantity', { required: true }),
  },
  { doc: 'What a claim takes of the resources of the node.' },
);
export type NodeAllocatableResourceClaimStatus = Infer<typeof NodeAllocatableResourceClaimStatus>;

export const PodStatus = message(
  'core.v1.PodStatus',
  {
    observedGeneration: int64(17, { doc: 'The generation that the node acts on.' }),
    phase: string(1, {
      doc: '`Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.',
      values: ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'],
    }),
    conditions: list(2, PodCondition, {
      doc: 'Aspects of its state, such as `Ready`.',
      mergeKey: 'type',
      listType: 'map',
      mapKeys: ['type'],
    }),
    message: string(3, { doc: 'Why it is in this state, for people.' }),
    reason: string(4, { doc: 'Why it is in this state, for programs.' }),
    nominatedNodeName: string(11, { doc: 'The node that room is being made on.' }),
    hostIP: string(5, { doc: 'Address of its node.' }),
    hostIPs: list(16, HostIP, { doc: 'Addresses of its node.', mergeKey: 'ip' }),
    podIP: string(6, { doc: 'Its address.' }),
    podIPs: list(12, PodIP, {
      doc: 'Its addresses, one per IP family.',
      mergeKey: 'ip',
      listType: 'map',
      mapKeys: ['ip'],
    }),
    startTime: time(7, { doc: 'When its node took it on.', pointer: true }),
    initContainerStatuses: list(10, ContainerStatus, { doc: 'State of the init containers.' }),
    containerStatuses: list(8, ContainerStatus, { doc: 'State of the containers.' }),
    qosClass: string(9, {
      doc: 'Who is evicted first when the node runs short.',
      values: ['Guaranteed', 'Burstable', 'BestEffort'],
    }),
    ephemeralContainerStatuses: list(13, ContainerStatus, { doc: 'State of the ephemeral containers.' }),
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
  },
  { doc: 'What became of a Pod.' },
);
export type PodStatus = Infer<typeof PodStatus>;
