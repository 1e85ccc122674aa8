import { bool, inline, map, message, object, quantity, string } from '../../declare.ts';
import type { Infer } from '../../schema.ts';
import { LocalObjectReference } from '../references.ts';
import { PersistentVolumeClaimTemplate } from './claim-template.ts';
import {
  AWSElasticBlockStoreVolumeSource,
  AzureDiskVolumeSource,
  AzureFileVolumeSource,
  CephFSVolumeSource,
  CinderVolumeSource,
  FCVolumeSource,
  FlexVolumeSource,
  FlockerVolumeSource,
  GCEPersistentDiskVolumeSource,
  GitRepoVolumeSource,
  GlusterfsVolumeSource,
  ISCSIVolumeSource,
  PhotonPersistentDiskVolumeSource,
  PortworxVolumeSource,
  QuobyteVolumeSource,
  RBDVolumeSource,
  ScaleIOVolumeSource,
  StorageOSVolumeSource,
  VsphereVirtualDiskVolumeSource,
} from './cloud-volumes.ts';
import {
  ConfigMapVolumeSource,
  DownwardAPIVolumeSource,
  ProjectedVolumeSource,
  SecretVolumeSource,
} from './projected-volumes.ts';

/** Volumes of Pods. */

export const HostPathVolumeSource = message(
  'core.v1.HostPathVolumeSource',
  {
    path: string(1, { required: true }),
    type: string(2, { pointer: true, default: '' }),
  },
  { doc: 'A folder or file of the node.' },
);
export type HostPathVolumeSource = Infer<typeof HostPathVolumeSource>;

export const EmptyDirVolumeSource = message(
  'core.v1.EmptyDirVolumeSource',
  {
    medium: string(1),
    sizeLimit: quantity(2, { pointer: true }),
  },
  { doc: 'A folder that lives as long as the Pod.' },
);
export type EmptyDirVolumeSource = Infer<typeof EmptyDirVolumeSource>;

export const NFSVolumeSource = message(
  'core.v1.NFSVolumeSource',
  {
    server: string(1, { required: true }),
    path: string(2, { required: true }),
    readOnly: bool(3),
  },
  { doc: 'A folder of an NFS server.' },
);
export type NFSVolumeSource = Infer<typeof NFSVolumeSource>;

export const PersistentVolumeClaimVolumeSource = message(
  'core.v1.PersistentVolumeClaimVolumeSource',
  {
    claimName: string(1, { required: true }),
    readOnly: bool(2),
  },
  { doc: 'Storage that was claimed.' },
);
export type PersistentVolumeClaimVolumeSource = Infer<typeof PersistentVolumeClaimVolumeSource>;

export const CSIVolumeSource = message(
  'core.v1.CSIVolumeSource',
  {
    driver: string(1, { required: true }),
    readOnly: bool(2, { pointer: true }),
    fsType: string(3, { pointer: true }),
    volumeAttributes: map(4, 'string'),
    nodePublishSecretRef: object(5, LocalObjectReference),
  },
  { doc: 'Storage of a CSI driver.' },
);
export type CSIVolumeSource = Infer<typeof CSIVolumeSource>;

export const EphemeralVolumeSource = message(
  'core.v1.EphemeralVolumeSource',
  {
    volumeClaimTemplate: object(1, PersistentVolumeClaimTemplate),
  },
  { doc: 'A claim that lives as long as the Pod.' },
);
export type EphemeralVolumeSource = Infer<typeof EphemeralVolumeSource>;

export const ImageVolumeSource = message(
  'core.v1.ImageVolumeSource',
  {
    reference: string(1),
    pullPolicy: string(2, { values: ['Always', 'Never', 'IfNotPresent'] }),
  },
  { doc: 'Content of an image.' },
);
export type ImageVolumeSource = Infer<typeof ImageVolumeSource>;

export const VolumeSource = message(
  'core.v1.VolumeSource',
  {
    hostPath: object(1, HostPathVolumeSource, { doc: 'A folder or file of the node.' }),
    emptyDir: object(2, EmptyDirVolumeSource, { doc: 'A folder that lives as long as the Pod.' }),
    gcePersistentDisk: object(3, GCEPersistentDiskVolumeSource),
    awsElasticBlockStore: object(4, AWSElasticBlockStoreVolumeSource),
    gitRepo: object(5, GitRepoVolumeSource),
    secret: object(6, SecretVolumeSource, { doc: 'Entries of a Secret as files.' }),
    nfs: object(7, NFSVolumeSource, { doc: 'A folder of an NFS server.' }),
    iscsi: object(8, ISCSIVolumeSource),
    glusterfs: object(9, GlusterfsVolumeSource),
    persistentVolumeClaim: object(10, PersistentVolumeClaimVolumeSource, { doc: 'Storage that was claimed.' }),
    rbd: object(11, RBDVolumeSource),
    flexVolume: object(12, FlexVolumeSource),
    cinder: object(13, CinderVolumeSource),
    cephfs: object(14, CephFSVolumeSource),
    flocker: object(15, FlockerVolumeSource),
    downwardAPI: object(16, DownwardAPIVolumeSource, { doc: 'Fields of the Pod as files.' }),
    fc: object(17, FCVolumeSource),
    azureFile: object(18, AzureFileVolumeSource),
    configMap: object(19, ConfigMapVolumeSource, { doc: 'Entries of a ConfigMap as files.' }),
    vsphereVolume: object(20, VsphereVirtualDiskVolumeSource),
    quobyte: object(21, QuobyteVolumeSource),
    azureDisk: object(22, AzureDiskVolumeSource),
    photonPersistentDisk: object(23, PhotonPersistentDiskVolumeSource),
    projected: object(26, ProjectedVolumeSource, { doc: 'Several sources in one folder.' }),
    portworxVolume: object(24, PortworxVolumeSource),
    scaleIO: object(25, ScaleIOVolumeSource),
    storageos: object(27, StorageOSVolumeSource),
    csi: object(28, CSIVolumeSource, { doc: 'Storage of a CSI driver.' }),
    ephemeral: object(29, EphemeralVolumeSource, { doc: 'A claim that lives as long as the Pod.' }),
    image: object(30, ImageVolumeSource, { doc: 'Content of an image.' }),
  },
  { doc: 'Where the content comes from.' },
);
export type VolumeSource = Infer<typeof VolumeSource>;

export const Volume = message(
  'core.v1.Volume',
  {
    name: string(1, { doc: 'The name that mounts use.', required: true }),
    ...inline(2, VolumeSource),
  },
  { doc: 'Storage of a Pod: a name and one source.' },
);
export type Volume = Infer<typeof Volume>;
