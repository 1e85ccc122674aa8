import { nameOf } from '../api/meta/object-meta.ts';
import type { ApiObject, OwnerReference } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';

/** The reference of the object's managing controller, when it has one. */
export function controllerOf(object: ApiObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** The uid of the managing controller, as an index key. */
export function controllerUids(object: ApiObject): readonly string[] {
  const uid = controllerOf(object)?.uid;
  return uid === undefined ? [] : [uid];
}

/** Is `owner` the managing controller of `object`? Compares uids: a namesake made later does not count. */
export function isControlledBy(object: ApiObject, owner: ApiObject): boolean {
  const uid = controllerOf(object)?.uid;
  return uid !== undefined && uid === owner.metadata.uid;
}

/** The reference that makes `owner` the managing controller of an object; blocks the owner's foreground deletion. */
export function controllerReference<T extends ApiObject>(kind: Kind<T>, owner: T): OwnerReference {
  return {
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    name: nameOf(owner),
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}
