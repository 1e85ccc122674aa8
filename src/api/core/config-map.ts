import type { Infer } from '../schema.ts';
import { bool, kind, map, message } from '../schema.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';

export const ConfigMapMessage = message('core.v1.ConfigMap', {
  ...typeMeta,
  metadata,
  immutable: bool(4, { pointer: true }),
  data: map(2, 'string'),
  binaryData: map(3, 'bytes'),
});
export type ConfigMap = Infer<typeof ConfigMapMessage>;

export const ConfigMap = kind(ConfigMapMessage, {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
  shortNames: ['cm'],
});
