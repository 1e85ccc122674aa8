import { bool, inline, message, object, quantity, string } from '../../declare.ts';
import type { Infer } from '../../schema.ts';
import { LocalObjectReference } from '../references.ts';

/** Environment variables and where their values come from. */

export const ObjectFieldSelector = message(
  'core.v1.ObjectFieldSelector',
  {
    apiVersion: string(1, { default: 'v1' }),
    fieldPath: string(2, { required: true }),
  },
  { doc: 'A field of an object.', atomic: true },
);
export type ObjectFieldSelector = Infer<typeof ObjectFieldSelector>;

export const ResourceFieldSelector = message(
  'core.v1.ResourceFieldSelector',
  {
    containerName: string(1),
    resource: string(2, { required: true }),
    divisor: quantity(3),
  },
  { doc: 'A request or limit of a container.', atomic: true },
);
export type ResourceFieldSelector = Infer<typeof ResourceFieldSelector>;

export const ConfigMapKeySelector = message(
  'core.v1.ConfigMapKeySelector',
  {
    ...inline(1, LocalObjectReference),
    key: string(2, { required: true }),
    optional: bool(3, { pointer: true }),
  },
  { doc: 'An entry of a ConfigMap.', atomic: true },
);
export type ConfigMapKeySelector = Infer<typeof ConfigMapKeySelector>;

export const SecretKeySelector = message(
  'core.v1.SecretKeySelector',
  {
    ...inline(1, LocalObjectReference),
    key: string(2, { required: true }),
    optional: bool(3, { pointer: true }),
  },
  { doc: 'An entry of a Secret.', atomic: true },
);
export type SecretKeySelector = Infer<typeof SecretKeySelector>;

export const FileKeySelector = message(
  'core.v1.FileKeySelector',
  {
    volumeName: string(1, { required: true }),
    path: string(2, { required: true }),
    key: string(3, { required: true }),
    optional: bool(4, { pointer: true, default: false }),
  },
  { doc: 'An entry of a file in a volume.', atomic: true },
);
export type FileKeySelector = Infer<typeof FileKeySelector>;

export const EnvVarSource = message(
  'core.v1.EnvVarSource',
  {
    fieldRef: object(1, ObjectFieldSelector, { doc: 'A field of the Pod.' }),
    resourceFieldRef: object(2, ResourceFieldSelector, { doc: 'A request or limit of a container.' }),
    configMapKeyRef: object(3, ConfigMapKeySelector, { doc: 'An entry of a ConfigMap.' }),
    secretKeyRef: object(4, SecretKeySelector, { doc: 'An entry of a Secret.' }),
    fileKeyRef: object(5, FileKeySelector, { doc: 'An entry of a file in a volume.' }),
  },
  { doc: 'Where a value comes from.' },
);
export type EnvVarSource = Infer<typeof EnvVarSource>;

export const EnvVar = message(
  'core.v1.EnvVar',
  {
    name: string(1, { doc: 'Its name.', required: true }),
    value: string(2, { doc: 'Its value; `$(NAME)` is replaced by earlier variables.' }),
    valueFrom: object(3, EnvVarSource, { doc: 'Where the value comes from.' }),
  },
  { doc: 'An environment variable.' },
);
export type EnvVar = Infer<typeof EnvVar>;

export const ConfigMapEnvSource = message(
  'core.v1.ConfigMapEnvSource',
  {
    ...inline(1, LocalObjectReference),
    optional: bool(2, { pointer: true }),
  },
  { doc: 'A ConfigMap whose entries become variables.' },
);
export type ConfigMapEnvSource = Infer<typeof ConfigMapEnvSource>;

export const SecretEnvSource = message(
  'core.v1.SecretEnvSource',
  {
    ...inline(1, LocalObjectReference),
    optional: bool(2, { pointer: true }),
  },
  { doc: 'A Secret whose entries become variables.' },
);
export type SecretEnvSource = Infer<typeof SecretEnvSource>;

export const EnvFromSource = message(
  'core.v1.EnvFromSource',
  {
    prefix: string(1, { doc: 'Put before every name.' }),
    configMapRef: object(2, ConfigMapEnvSource, { doc: 'The ConfigMap.' }),
    secretRef: object(3, SecretEnvSource, { doc: 'The Secret.' }),
  },
  { doc: 'A ConfigMap or Secret whose entries become variables.' },
);
export type EnvFromSource = Infer<typeof EnvFromSource>;
