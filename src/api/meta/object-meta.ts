import { bool, fieldsV1, int64, list, map, message, object, string, time } from '../declare.ts';
import type { Infer } from '../schema.ts';

/** What every object carries besides its content. */

export const OwnerReference = message(
  'meta.v1.OwnerReference',
  {
    apiVersion: string(5, { doc: 'Group and version of the owner.', required: true }),
    kind: string(1, { doc: 'Kind of the owner.', required: true }),
    name: string(3, { doc: 'Name of the owner, in the same namespace or cluster-wide.', required: true }),
    uid: string(4, { doc: 'UID of the owner; a namesake made later is not the owner.', required: true }),
    controller: bool(6, { doc: 'The owner manages this object. At most one does.', pointer: true }),
    blockOwnerDeletion: bool(7, {
      doc: 'An owner deleted in the foreground waits until this object is gone.',
      pointer: true,
    }),
  },
  { doc: 'An object that this one belongs to: when the owner goes, so does this one.', atomic: true },
);
export type OwnerReference = Infer<typeof OwnerReference>;

export const ManagedFieldsEntry = message(
  'meta.v1.ManagedFieldsEntry',
  {
    manager: string(1, { doc: 'Name of the writer.' }),
    operation: string(2, { doc: '`Apply` or `Update`.' }),
    apiVersion: string(3, { doc: 'Version whose field names are meant.' }),
    time: time(4, { doc: 'When the set changed last.', pointer: true }),
    fieldsType: string(6, { doc: 'Always `FieldsV1`.' }),
    fieldsV1: fieldsV1(7, { doc: 'The set of fields.', pointer: true }),
    subresource: string(8, { doc: 'The subresource that was written, if any.' }),
  },
  { doc: 'Which fields one writer set last.' },
);
export type ManagedFieldsEntry = Infer<typeof ManagedFieldsEntry>;

export const ObjectMeta = message(
  'meta.v1.ObjectMeta',
  {
    name: string(1, { doc: 'Unique among objects of the kind in the namespace. Never changes.' }),
    generateName: string(2, { doc: 'Prefix of a name that the server completes when `name` is empty.' }),
    namespace: string(3, { doc: 'The namespace it lives in. Never changes.' }),
    selfLink: string(4, { doc: 'No longer filled in.' }),
    uid: string(5, { doc: 'Tells the object from namesakes of other times. Set by the server.' }),
    resourceVersion: string(6, {
      doc: 'Version of the stored object. A write that carries it fails when the object has changed since.',
    }),
    generation: int64(7, { doc: 'Counts the changes of the wanted state.' }),
    creationTimestamp: time(8, { doc: 'When the server stored it first.' }),
    deletionTimestamp: time(9, {
      doc: 'When it goes, or went into its grace period. Set by a delete request.',
      pointer: true,
    }),
    deletionGracePeriodSeconds: int64(10, { doc: 'How long it may take to stop, in seconds.', pointer: true }),
    labels: map(11, 'string', { doc: 'Short texts to select by.' }),
    annotations: map(12, 'string', { doc: 'Texts of any sort for tools and people; nothing selects by them.' }),
    ownerReferences: list(13, OwnerReference, {
      doc: 'Objects that this one belongs to.',
      mergeKey: 'uid',
      listType: 'map',
      mapKeys: ['uid'],
    }),
    finalizers: list(14, 'string', {
      doc: 'Who still has to clean up before the object may go. Deletion waits until the list is empty.',
      strategy: 'merge',
      listType: 'set',
    }),
    managedFields: list(17, ManagedFieldsEntry, { doc: 'Who set which field. Kept by the server.' }),
  },
  { doc: 'What every object carries besides its content.' },
);
export type ObjectMeta = Infer<typeof ObjectMeta>;

/** What every object carries to say what it is. Not part of the protobuf message: the envelope has it. */
export const typeMeta = {
  apiVersion: string(0, { doc: 'Group and version of the object, such as `apps/v1`.' }),
  kind: string(0, { doc: 'Which kind of object it is.' }),
};

/** The `metadata` field of every kind. */
export const metadata = object(1, ObjectMeta, {
  doc: 'Name, labels and what else all objects have in common.',
  present: true,
  pointer: false,
});

/** What all kinds have in common. */
export interface ApiObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

/** `namespace/name`, or `name` for an object without namespace. */
export function keyOf(object: ApiObject): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? nameOf(object) : `${namespace}/${name ?? ''}`;
}

/** The name; '' before the server has generated one. */
export function nameOf(object: ApiObject): string {
  return object.metadata.name ?? '';
}

/** The namespace; '' for an object without one. */
export function namespaceOf(object: ApiObject): string {
  return object.metadata.namespace ?? '';
}
