import { ageColumn, nameColumn } from '../columns.ts';
import { bool, kind, map, message } from '../declare.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Infer } from '../schema.ts';
import { checkData, checkDataChange, countEntries } from './data-validation.ts';

/** ConfigMaps: texts and bytes for programs. */

export const ConfigMapMessage = message(
  'core.v1.ConfigMap',
  {
    ...typeMeta,
    metadata,
    immutable: bool(4, { doc: 'True: the content stays; cannot be undone.', pointer: true }),
    data: map(2, 'string', { doc: 'Texts by name.' }),
    binaryData: map(3, 'bytes', { doc: 'Bytes by name, in base64. No name may be in both.' }),
  },
  { doc: 'Texts and bytes for programs to read.' },
);
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
