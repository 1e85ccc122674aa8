import type { Infer } from '../schema.ts';
import { bool, fieldsV1, int64, list, map, message, object, string, time } from '../schema.ts';

export const OwnerReference = message(
  'meta.v1.OwnerReference',
  {
    apiVersion: string(5, { required: true }),
    kind: string(1, { required: true }),
    name: string(3, { required: true }),
    uid: string(4, { required: true }),
    controller: bool(6, { pointer: true }),
    blockOwnerDeletion: bool(7, { pointer: true }),
  },
  { atomic: true },
);
export type OwnerReference = Infer<typeof OwnerReference>;

export const ManagedFieldsEntry = message('meta.v1.ManagedFieldsEntry', {
  manager: string(1),
  operation: string(2),
  apiVersion: string(3),
  time: time(4, { pointer: true }),
  fieldsType: string(6),
  fieldsV1: fieldsV1(7, { pointer: true }),
  subresource: string(8),
});
export type ManagedFieldsEntry = Infer<typeof ManagedFieldsEntry>;

export const ObjectMeta = message('meta.v1.ObjectMeta', {
  name: string(1),
  generateName: string(2),
  namespace: string(3),
  selfLink: string(4),
  uid: string(5),
  resourceVersion: string(6),
  generation: int64(7),
  creationTimestamp: time(8),
  deletionTimestamp: time(9, { pointer: true }),
  deletionGracePeriodSeconds: int64(10, { pointer: true }),
  labels: map(11, 'string'),
  annotations: map(12, 'string'),
  ownerReferences: list(13, OwnerReference, { mergeKey: 'uid', listType: 'map', mapKeys: ['uid'] }),
  finalizers: list(14, 'string', { strategy: 'merge', listType: 'set' }),
  managedFields: list(17, ManagedFieldsEntry),
});
export type ObjectMeta = Infer<typeof ObjectMeta>;

/** What every object carries to say what it is. Not part of the protobuf message: the envelope has it. */
export const typeMeta = { apiVersion: string(0), kind: string(0) };

/** The `metadata` field of every kind. */
export const metadata = object(1, ObjectMeta, { present: true, pointer: false });

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
