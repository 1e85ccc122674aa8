import { bool, int32, list, map, message, object, string } from '../../declare.ts';
import type { Infer } from '../../schema.ts';
import { LocalObjectReference } from '../references.ts';

/** Volume sources of storage vendors, most of them retired. Kept as data, so that every Pod is served as it was sent. */

export const GCEPersistentDiskVolumeSource = message('core.v1.GCEPersistentDiskVolumeSource', {
  pdName: string(1, { required: true }),
  fsType: string(2),
  partition: int32(3),
  readOnly: bool(4),
});
export type GCEPersistentDiskVolumeSource = Infer<typeof GCEPersistentDiskVolumeSource>;

export const AWSElasticBlockStoreVolumeSource = message('core.v1.AWSElasticBlockStoreVolumeSource', {
  volumeID: string(1, { required: true }),
  fsType: string(2),
  partition: int32(3),
  readOnly: bool(4),
});
export type AWSElasticBlockStoreVolumeSource = Infer<typeof AWSElasticBlockStoreVolumeSource>;

export const GitRepoVolumeSource = message('core.v1.GitRepoVolumeSource', {
  repository: string(1, { required: true }),
  revision: string(2),
  directory: string(3),
});
export type GitRepoVolumeSource = Infer<typeof GitRepoVolumeSource>;

export const ISCSIVolumeSource = message('core.v1.ISCSIVolumeSource', {
  targetPortal: string(1, { required: true }),
  iqn: string(2, { required: true }),
  lun: int32(3, { required: true }),
  iscsiInterface: string(4, { default: 'default' }),
  fsType: string(5),
  readOnly: bool(6),
  portals: list(7, 'string'),
  chapAuthDiscovery: bool(8),
  chapAuthSession: bool(11),
  secretRef: object(10, LocalObjectReference),
  initiatorName: string(12, { pointer: true }),
});
export type ISCSIVolumeSource = Infer<typeof ISCSIVolumeSource>;

export const GlusterfsVolumeSource = message('core.v1.GlusterfsVolumeSource', {
  endpoints: string(1, { required: true }),
  path: string(2, { required: true }),
  readOnly: bool(3),
});
export type GlusterfsVolumeSource = Infer<typeof GlusterfsVolumeSource>;

export const RBDVolumeSource = message('core.v1.RBDVolumeSource', {
  monitors: list(1, 'string', { required: true }),
  image: string(2, { required: true }),
  fsType: string(3),
  pool: string(4, { default: 'rbd' }),
  user: string(5, { default: 'admin' }),
  keyring: string(6, { default: '/etc/ceph/keyring' }),
  secretRef: object(7, LocalObjectReference),
  readOnly: bool(8),
});
export type RBDVolumeSource = Infer<typeof RBDVolumeSource>;

export const FlexVolumeSource = message('core.v1.FlexVolumeSource', {
  driver: string(1, { required: true }),
  fsType: string(2),
  secretRef: object(3, LocalObjectReference),
  readOnly: bool(4),
  options: map(5, 'string'),
});
export type FlexVolumeSource = Infer<typeof FlexVolumeSource>;

export const CinderVolumeSource = message('core.v1.CinderVolumeSource', {
  volumeID: string(1, { required: true }),
  fsType: string(2),
  readOnly: bool(3),
  secretRef: object(4, LocalObjectReference),
});
export type CinderVolumeSource = Infer<typeof CinderVolumeSource>;

export const CephFSVolumeSource = message('core.v1.CephFSVolumeSource', {
  monitors: list(1, 'string', { required: true }),
  path: string(2),
  user: string(3),
  secretFile: string(4),
  secretRef: object(5, LocalObjectReference),
  readOnly: bool(6),
});
export type CephFSVolumeSource = Infer<typeof CephFSVolumeSource>;

export const FlockerVolumeSource = message('core.v1.FlockerVolumeSource', {
  datasetName: string(1),
  datasetUUID: string(2),
});
export type FlockerVolumeSource = Infer<typeof FlockerVolumeSource>;

export const FCVolumeSource = message('core.v1.FCVolumeSource', {
  targetWWNs: list(1, 'string'),
  lun: int32(2, { pointer: true }),
  fsType: string(3),
  readOnly: bool(4),
  wwids: list(5, 'string'),
});
export type FCVolumeSource = Infer<typeof FCVolumeSource>;

export const AzureFileVolumeSource = message('core.v1.AzureFileVolumeSource', {
  secretName: string(1, { required: true }),
  shareName: string(2, { required: true }),
  readOnly: bool(3),
});
export type AzureFileVolumeSource = Infer<typeof AzureFileVolumeSource>;

export const VsphereVirtualDiskVolumeSource = message('core.v1.VsphereVirtualDiskVolumeSource', {
  volumePath: string(1, { required: true }),
  fsType: string(2),
  storagePolicyName: string(3),
  storagePolicyID: string(4),
});
export type VsphereVirtualDiskVolumeSource = Infer<typeof VsphereVirtualDiskVolumeSource>;

export const QuobyteVolumeSource = message('core.v1.QuobyteVolumeSource', {
  registry: string(1, { required: true }),
  volume: string(2, { required: true }),
  readOnly: bool(3),
  user: string(4),
  group: string(5),
  tenant: string(6),
});
export type QuobyteVolumeSource = Infer<typeof QuobyteVolumeSource>;

export const AzureDiskVolumeSource = message('core.v1.AzureDiskVolumeSource', {
  diskName: string(1, { required: true }),
  diskURI: string(2, { required: true }),
  cachingMode: string(3, { pointer: true, default: 'ReadWrite', values: ['None', 'ReadOnly', 'ReadWrite'] }),
  fsType: string(4, { pointer: true, default: 'ext4' }),
  readOnly: bool(5, { pointer: true, default: false }),
  kind: string(6, { pointer: true, default: 'Shared', values: ['Shared', 'Dedicated', 'Managed'] }),
});
export type AzureDiskVolumeSource = Infer<typeof AzureDiskVolumeSource>;

export const PhotonPersistentDiskVolumeSource = message('core.v1.PhotonPersistentDiskVolumeSource', {
  pdID: string(1, { required: true }),
  fsType: string(2),
});
export type PhotonPersistentDiskVolumeSource = Infer<typeof PhotonPersistentDiskVolumeSource>;

export const PortworxVolumeSource = message('core.v1.PortworxVolumeSource', {
  volumeID: string(1, { required: true }),
  fsType: string(2),
  readOnly: bool(3),
});
export type PortworxVolumeSource = Infer<typeof PortworxVolumeSource>;

export const ScaleIOVolumeSource = message('core.v1.ScaleIOVolumeSource', {
  gateway: string(1, { required: true }),
  system: string(2, { required: true }),
  secretRef: object(3, LocalObjectReference, { required: true }),
  sslEnabled: bool(4),
  protectionDomain: string(5),
  storagePool: string(6),
  storageMode: string(7, { default: 'ThinProvisioned' }),
  volumeName: string(8),
  fsType: string(9, { default: 'xfs' }),
  readOnly: bool(10),
});
export type ScaleIOVolumeSource = Infer<typeof ScaleIOVolumeSource>;

export const StorageOSVolumeSource = message('core.v1.StorageOSVolumeSource', {
  volumeName: string(1),
  volumeNamespace: string(2),
  fsType: string(3),
  readOnly: bool(4),
  secretRef: object(5, LocalObjectReference),
});
export type StorageOSVolumeSource = Infer<typeof StorageOSVolumeSource>;
