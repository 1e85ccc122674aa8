import { bool, int32, int64, list, map, message, object, string, time } from '../declare.ts';
import type { Infer } from '../schema.ts';

/** What nodes say about themselves. */

export const ConfigMapNodeConfigSource = message(
  'core.v1.ConfigMapNodeConfigSource',
  {
    namespace: string(1, { required: true }),
    name: string(2, { required: true }),
    uid: string(3),
    resourceVersion: string(4),
    kubeletConfigKey: string(5, { required: true }),
  },
  { doc: 'A ConfigMap with settings of a node; no longer used.' },
);
export type ConfigMapNodeConfigSource = Infer<typeof ConfigMapNodeConfigSource>;

export const NodeConfigSource = message(
  'core.v1.NodeConfigSource',
  {
    configMap: object(2, ConfigMapNodeConfigSource),
  },
  { doc: 'Where a node had its settings from; no longer used.' },
);
export type NodeConfigSource = Infer<typeof NodeConfigSource>;

export const NodeCondition = message(
  'core.v1.NodeCondition',
  {
    type: string(1, { doc: 'Which aspect.', required: true }),
    status: string(2, { doc: '`True`, `False` or `Unknown`.', required: true, values: ['True', 'False', 'Unknown'] }),
    lastHeartbeatTime: time(3, { doc: 'When the node said so last.' }),
    lastTransitionTime: time(4, { doc: 'When `status` changed last.' }),
    reason: string(5, { doc: 'One word for programs.' }),
    message: string(6, { doc: 'A sentence for people.' }),
  },
  { doc: 'One aspect of the state of a node.' },
);
export type NodeCondition = Infer<typeof NodeCondition>;

export const NodeAddress = message(
  'core.v1.NodeAddress',
  {
    type: string(1, { doc: '`InternalIP`, `ExternalIP`, `Hostname` and others.', required: true }),
    address: string(2, { doc: 'The address.', required: true }),
  },
  { doc: 'An address of a node.' },
);
export type NodeAddress = Infer<typeof NodeAddress>;

export const DaemonEndpoint = message(
  'core.v1.DaemonEndpoint',
  {
    Port: int32(1, { required: true }),
  },
  { doc: 'The port of a daemon.' },
);
export type DaemonEndpoint = Infer<typeof DaemonEndpoint>;

export const NodeDaemonEndpoints = message(
  'core.v1.NodeDaemonEndpoints',
  {
    kubeletEndpoint: object(1, DaemonEndpoint, { pointer: false }),
  },
  { doc: 'Ports of the daemons of a node.' },
);
export type NodeDaemonEndpoints = Infer<typeof NodeDaemonEndpoints>;

export const NodeSwapStatus = message(
  'core.v1.NodeSwapStatus',
  {
    capacity: int64(1, { pointer: true }),
  },
  { doc: 'Swap space of a node.' },
);
export type NodeSwapStatus = Infer<typeof NodeSwapStatus>;

export const NodeSystemInfo = message(
  'core.v1.NodeSystemInfo',
  {
    machineID: string(1, { required: true }),
    systemUUID: string(2, { required: true }),
    bootID: string(3, { required: true }),
    kernelVersion: string(4, { required: true }),
    osImage: string(5, { required: true }),
    containerRuntimeVersion: string(6, { required: true }),
    kubeletVersion: string(7, { required: true }),
    kubeProxyVersion: string(8, { required: true }),
    operatingSystem: string(9, { required: true }),
    architecture: string(10, { required: true }),
    swap: object(11, NodeSwapStatus),
  },
  { doc: 'Versions and ids of a node.' },
);
export type NodeSystemInfo = Infer<typeof NodeSystemInfo>;

export const ContainerImage = message(
  'core.v1.ContainerImage',
  {
    names: list(1, 'string'),
    sizeBytes: int64(2),
  },
  { doc: 'An image that a node has.' },
);
export type ContainerImage = Infer<typeof ContainerImage>;

export const AttachedVolume = message(
  'core.v1.AttachedVolume',
  {
    name: string(1, { required: true }),
    devicePath: string(2, { required: true }),
  },
  { doc: 'A volume that is attached to a node.' },
);
export type AttachedVolume = Infer<typeof AttachedVolume>;

export const NodeConfigStatus = message(
  'core.v1.NodeConfigStatus',
  {
    assigned: object(1, NodeConfigSource),
    active: object(2, NodeConfigSource),
    lastKnownGood: object(3, NodeConfigSource),
    error: string(4),
  },
  { doc: 'Settings of a node; no longer used.' },
);
export type NodeConfigStatus = Infer<typeof NodeConfigStatus>;

export const NodeRuntimeHandlerFeatures = message(
  'core.v1.NodeRuntimeHandlerFeatures',
  {
    recursiveReadOnlyMounts: bool(1, { pointer: true }),
    userNamespaces: bool(2, { pointer: true }),
  },
  { doc: 'What a runtime handler can do.' },
);
export type NodeRuntimeHandlerFeatures = Infer<typeof NodeRuntimeHandlerFeatures>;

export const NodeRuntimeHandler = message(
  'core.v1.NodeRuntimeHandler',
  {
    name: string(1),
    features: object(2, NodeRuntimeHandlerFeatures),
  },
  { doc: 'A way in which a node can run containers.' },
);
export type NodeRuntimeHandler = Infer<typeof NodeRuntimeHandler>;

export const NodeFeatures = message(
  'core.v1.NodeFeatures',
  {
    supplementalGroupsPolicy: bool(1, { pointer: true }),
  },
  { doc: 'What the runtime of a node can do.' },
);
export type NodeFeatures = Infer<typeof NodeFeatures>;

export const NodeStatus = message(
  'core.v1.NodeStatus',
  {
    capacity: map(1, 'quantity', { doc: 'What it has.' }),
    allocatable: map(2, 'quantity', { doc: 'What Pods may use of it.' }),
    phase: string(3, { doc: 'No longer used.', values: ['Pending', 'Running', 'Terminated'] }),
    conditions: list(4, NodeCondition, {
      doc: 'Aspects of its state, such as `Ready`.',
      mergeKey: 'type',
      listType: 'map',
      mapKeys: ['type'],
    }),
    addresses: list(5, NodeAddress, { doc: 'How to reach it.', mergeKey: 'type', listType: 'map', mapKeys: ['type'] }),
    daemonEndpoints: object(6, NodeDaemonEndpoints, { doc: 'Ports of its daemons.', pointer: false }),
    nodeInfo: object(7, NodeSystemInfo, { doc: 'Versions and ids.', pointer: false }),
    images: list(8, ContainerImage, { doc: 'Images it has.' }),
    volumesInUse: list(9, 'string', { doc: 'Volumes that are mounted.' }),
    volumesAttached: list(10, AttachedVolume, { doc: 'Volumes that are attached.' }),
    config: object(11, NodeConfigStatus),
    runtimeHandlers: list(12, NodeRuntimeHandler),
    features: object(13, NodeFeatures),
    declaredFeatures: list(14, 'string'),
  },
  { doc: 'What became of a node.' },
);
export type NodeStatus = Infer<typeof NodeStatus>;
