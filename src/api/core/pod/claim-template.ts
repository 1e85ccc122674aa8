import { list, message, object, string } from '../../declare.ts';
import { LabelSelector } from '../../meta/label-selector.ts';
import { ObjectMeta } from '../../meta/object-meta.ts';
import type { Infer } from '../../schema.ts';
import { TypedLocalObjectReference, TypedObjectReference } from '../references.ts';
import { VolumeResourceRequirements } from './resources.ts';

/** Claims for storage that live as long as a Pod. Kept as data. */

export const PersistentVolumeClaimSpec = message(
  'core.v1.PersistentVolumeClaimSpec',
  {
    accessModes: list(1, 'string', { values: ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'] }),
    selector: object(4, LabelSelector),
    resources: object(2, VolumeResourceRequirements, { pointer: false }),
    volumeName: string(3),
    storageClassName: string(5, { pointer: true }),
    volumeMode: string(6, { pointer: true, values: ['Block', 'Filesystem'] }),
    dataSource: object(7, TypedLocalObjectReference),
    dataSourceRef: object(8, TypedObjectReference),
    volumeAttributesClassName: string(9, { pointer: true }),
  },
  { doc: 'What storage is claimed.' },
);
export type PersistentVolumeClaimSpec = Infer<typeof PersistentVolumeClaimSpec>;

export const PersistentVolumeClaimTemplate = message(
  'core.v1.PersistentVolumeClaimTemplate',
  {
    metadata: object(1, ObjectMeta, { pointer: false }),
    spec: object(2, PersistentVolumeClaimSpec, { required: true, pointer: false }),
  },
  { doc: 'What the claim of an ephemeral volume looks like.' },
);
export type PersistentVolumeClaimTemplate = Infer<typeof PersistentVolumeClaimTemplate>;
