import type { Infer } from '../schema.ts';
import { bool, kind, map, message } from '../schema.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { checkData, checkDataChange, countEntries } from './data-validation.ts';

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
  columns: [
    nameColumn,
    {
      name: 'Data',
      type: 'string',
      doc: 'How many entries it has.',
      cell: (map) => countEntries(map.data, map.binaryData),
    },
    ageColumn,
  ],
  validate: (map) => checkData(map),
  validateUpdate: checkDataChange,
});
