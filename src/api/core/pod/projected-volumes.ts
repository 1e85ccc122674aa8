import { bool, inline, int32, int64, list, map, message, object, string } from '../../declare.ts';
import { LabelSelector } from '../../meta/label-selector.ts';
import type { Infer } from '../../schema.ts';
import { LocalObjectReference } from '../references.ts';
import { ObjectFieldSelector, ResourceFieldSelector } from './container-env.ts';

/** Volumes made of API objects: ConfigMaps, Secrets, tokens and fields of the Pod. */

export const KeyToPath = message(
  'core.v1.KeyToPath',
  {
    key: string(1, { required: true }),
    path: string(2, { required: true }),
    mode: int32(3, { pointer: true }),
  },
  { doc: 'Which file an entry becomes.' },
);
export type KeyToPath = Infer<typeof KeyToPath>;

export const ConfigMapProjection = message(
  'core.v1.ConfigMapProjection',
  {
    ...inline(1, LocalObjectReference),
    items: list(2, KeyToPath),
    optional: bool(4, { pointer: true }),
  },
  { doc: 'Entries of a ConfigMap.' },
);
export type ConfigMapProjection = Infer<typeof ConfigMapProjection>;

export const SecretProjection = message(
  'core.v1.SecretProjection',
  {
    ...inline(1, LocalObjectReference),
    items: list(2, KeyToPath),
    optional: bool(4, { pointer: true }),
  },
  { doc: 'Entries of a Secret.' },
);
export type SecretProjection = Infer<typeof SecretProjection>;

export const DownwardAPIVolumeFile = message(
  'core.v1.DownwardAPIVolumeFile',
  {
    path: string(1, { required: true }),
    fieldRef: object(2, ObjectFieldSelector),
    resourceFieldRef: object(3, ResourceFieldSelector),
    mode: int32(4, { pointer: true }),
  },
  { doc: 'A file with a field of the Pod.' },
);
export type DownwardAPIVolumeFile = Infer<typeof DownwardAPIVolumeFile>;

export const DownwardAPIProjection = message(
  'core.v1.DownwardAPIProjection',
  {
    items: list(1, DownwardAPIVolumeFile),
  },
  { doc: 'Fields of the Pod.' },
);
export type DownwardAPIProjection = Infer<typeof DownwardAPIProjection>;

export const ServiceAccountTokenProjection = message(
  'core.v1.ServiceAccountTokenProjection',
  {
    audience: string(1),
    expirationSeconds: int64(2, { pointer: true, default: 3600 }),
    path: string(3, { required: true }),
  },
  { doc: 'A token of the ServiceAccount that is renewed in time.' },
);
export type ServiceAccountTokenProjection = Infer<typeof ServiceAccountTokenProjection>;

export const ClusterTrustBundleProjection = message(
  'core.v1.ClusterTrustBundleProjection',
  {
    name: string(1, { pointer: true }),
    signerName: string(2, { pointer: true }),
    labelSelector: object(3, LabelSelector),
    optional: bool(5, { pointer: true }),
    path: string(4, { required: true }),
  },
  { doc: 'Certificates to trust.' },
);
export type ClusterTrustBundleProjection = Infer<typeof ClusterTrustBundleProjection>;

export const PodCertificateProjection = message(
  'core.v1.PodCertificateProjection',
  {
    signerName: string(1),
    keyType: string(2),
    maxExpirationSeconds: int32(3, { pointer: true }),
    credentialBundlePath: string(4),
    keyPath: string(5),
    certificateChainPath: string(6),
    userAnnotations: map(7, 'string'),
  },
  { doc: 'A certificate of the Pod that is renewed in time.' },
);
export type PodCertificateProjection = Infer<typeof PodCertificateProjection>;

export const VolumeProjection = message(
  'core.v1.VolumeProjection',
  {
    secret: object(1, SecretProjection),
    downwardAPI: object(2, DownwardAPIProjection),
    configMap: object(3, ConfigMapProjection),
    serviceAccountToken: object(4, ServiceAccountTokenProjection),
    clusterTrustBundle: object(5, ClusterTrustBundleProjection),
    podCertificate: object(6, PodCertificateProjection),
  },
  { doc: 'One of the sources of a projected volume.' },
);
export type VolumeProjection = Infer<typeof VolumeProjection>;

export const ProjectedVolumeSource = message(
  'core.v1.ProjectedVolumeSource',
  {
    sources: list(1, VolumeProjection),
    defaultMode: int32(2, { pointer: true, default: 0o644 }),
  },
  { doc: 'Several sources in one folder.' },
);
export type ProjectedVolumeSource = Infer<typeof ProjectedVolumeSource>;

export const ConfigMapVolumeSource = message(
  'core.v1.ConfigMapVolumeSource',
  {
    ...inline(1, LocalObjectReference),
    items: list(2, KeyToPath),
    defaultMode: int32(3, { pointer: true, default: 0o644 }),
    optional: bool(4, { pointer: true }),
  },
  { doc: 'Entries of a ConfigMap as files.' },
);
export type ConfigMapVolumeSource = Infer<typeof ConfigMapVolumeSource>;

export const SecretVolumeSource = message(
  'core.v1.SecretVolumeSource',
  {
    secretName: string(1),
    items: list(2, KeyToPath),
    defaultMode: int32(3, { pointer: true, default: 0o644 }),
    optional: bool(4, { pointer: true }),
  },
  { doc: 'Entries of a Secret as files.' },
);
export type SecretVolumeSource = Infer<typeof SecretVolumeSource>;

export const DownwardAPIVolumeSource = message(
  'core.v1.DownwardAPIVolumeSource',
  {
    items: list(1, DownwardAPIVolumeFile),
    defaultMode: int32(2, { pointer: true, default: 0o644 }),
  },
  { doc: 'Fields of the Pod as files.' },
);
export type DownwardAPIVolumeSource = Infer<typeof DownwardAPIVolumeSource>;
