import { bool, int32, int64, list, map, message, object, string, time } from '../../declare.ts';
import type { Infer } from '../../schema.ts';
import { ResourceRequirements } from './resources.ts';

/** What became of a container. */

export const ContainerStateWaiting = message(
  'core.v1.ContainerStateWaiting',
  {
    reason: string(1),
    message: string(2),
  },
  { doc: 'Why a container does not run yet.' },
);
export type ContainerStateWaiting = Infer<typeof ContainerStateWaiting>;

export const ContainerStateRunning = message(
  'core.v1.ContainerStateRunning',
  {
    startedAt: time(1),
  },
  { doc: 'Since when a container runs.' },
);
export type ContainerStateRunning = Infer<typeof ContainerStateRunning>;

export const ContainerStateTerminated = message(
  'core.v1.ContainerStateTerminated',
  {
    exitCode: int32(1, { required: true }),
    signal: int32(2),
    reason: string(3),
    message: string(4),
    startedAt: time(5),
    finishedAt: time(6),
    containerID: string(7),
  },
  { doc: 'How a container ended.' },
);
export type ContainerStateTerminated = Infer<typeof ContainerStateTerminated>;

export const ContainerState = message(
  'core.v1.ContainerState',
  {
    waiting: object(1, ContainerStateWaiting, { doc: 'It is not running yet, or not at the moment.' }),
    running: object(2, ContainerStateRunning, { doc: 'It runs.' }),
    terminated: object(3, ContainerStateTerminated, { doc: 'It ended.' }),
  },
  { doc: 'One of the three states.' },
);
export type ContainerState = Infer<typeof ContainerState>;

export const ImageVolumeStatus = message(
  'core.v1.ImageVolumeStatus',
  {
    imageRef: string(1),
  },
  { doc: 'What became of an image volume.' },
);
export type ImageVolumeStatus = Infer<typeof ImageVolumeStatus>;

export const VolumeStatus = message(
  'core.v1.VolumeStatus',
  {
    image: object(1, ImageVolumeStatus),
  },
  { doc: 'What became of a volume.' },
);
export type VolumeStatus = Infer<typeof VolumeStatus>;

export const VolumeMountStatus = message(
  'core.v1.VolumeMountStatus',
  {
    name: string(1, { required: true }),
    mountPath: string(2, { required: true }),
    readOnly: bool(3),
    recursiveReadOnly: string(4, { pointer: true }),
    volumeStatus: object(5, VolumeStatus),
  },
  { doc: 'What became of a mount.' },
);
export type VolumeMountStatus = Infer<typeof VolumeMountStatus>;

export const LinuxContainerUser = message(
  'core.v1.LinuxContainerUser',
  {
    uid: int64(1, { required: true }),
    gid: int64(2, { required: true }),
    supplementalGroups: list(3, 'int64'),
  },
  { doc: 'Who a container runs as on Linux.' },
);
export type LinuxContainerUser = Infer<typeof LinuxContainerUser>;

export const ContainerUser = message(
  'core.v1.ContainerUser',
  {
    linux: object(1, LinuxContainerUser),
  },
  { doc: 'Who a container runs as.' },
);
export type ContainerUser = Infer<typeof ContainerUser>;

export const ResourceHealth = message(
  'core.v1.ResourceHealth',
  {
    resourceID: string(1, { required: true }),
    health: string(2),
    message: string(6, { pointer: true }),
  },
  { doc: 'How a device is.' },
);
export type ResourceHealth = Infer<typeof ResourceHealth>;

export const ResourceStatus = message(
  'core.v1.ResourceStatus',
  {
    name: string(1, { required: true }),
    resources: list(2, ResourceHealth, { listType: 'map', mapKeys: ['resourceID'] }),
  },
  { doc: 'What became of a resource of a container.' },
);
export type ResourceStatus = Infer<typeof ResourceStatus>;

export const ContainerStatus = message(
  'core.v1.ContainerStatus',
  {
    name: string(1, { doc: 'The container.', required: true }),
    state: object(2, ContainerState, { doc: 'What it does now.', pointer: false }),
    lastState: object(3, ContainerState, { doc: 'How it ended the last time.', pointer: false }),
    ready: bool(4, { doc: 'Does its readiness probe succeed?', required: true }),
    restartCount: int32(5, { doc: 'How often it was started again.', required: true }),
    image: string(6, { doc: 'The image it runs.', required: true }),
    imageID: string(7, { doc: 'The exact image.', required: true }),
    containerID: string(8, { doc: 'Its id on the node.' }),
    started: bool(9, { doc: 'Has it started, according to its startup probe?', pointer: true }),
    allocatedResources: map(10, 'quantity'),
    resources: object(11, ResourceRequirements),
    volumeMounts: list(12, VolumeMountStatus, { mergeKey: 'mountPath', listType: 'map', mapKeys: ['mountPath'] }),
    user: object(13, ContainerUser),
    allocatedResourcesStatus: list(14, ResourceStatus, { mergeKey: 'name', listType: 'map', mapKeys: ['name'] }),
    stopSignal: string(15, { pointer: true }),
  },
  { doc: 'What became of a container.' },
);
export type ContainerStatus = Infer<typeof ContainerStatus>;
