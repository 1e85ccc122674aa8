import type { ApiObject, OwnerReference } from '../api/meta/object-meta.ts';
import { controllerOf } from '../client/owners.ts';

/** Which objects a controller's object has, should take on, and should let go. */
export interface Claims<T> {
  /** Owned and matching. */
  readonly owned: readonly T[];
  /** Matching and without a controller: to be adopted. */
  readonly adopt: readonly T[];
  /** Owned and no longer matching: to be released. */
  readonly release: readonly T[];
}

/**
 * Sorts candidates by their controller reference and the selector. An owner on its way out adopts nothing; an object on
 * its way out is not adopted. Pure.
 */
export function claim<T extends ApiObject>(
  owner: ApiObject,
  candidates: readonly T[],
  matches: (object: T) => boolean,
): Claims<T> {
  const owned: T[] = [];
  const adopt: T[] = [];
  const release: T[] = [];
  const isLeaving = owner.metadata.deletionTimestamp !== undefined;
  for (const object of candidates) {
    const controller = controllerOf(object);
    if (controller === undefined) {
      if (matches(object) && !isLeaving && object.metadata.deletionTimestamp === undefined) adopt.push(object);
    } else if (controller.uid === owner.metadata.uid) {
      if (matches(object)) owned.push(object);
      else if (!isLeaving) release.push(object);
    }
  }
  return { owned, adopt, release };
}

/** The object with the owner as its controller. */
export function adopted<T extends ApiObject>(object: T, reference: OwnerReference): T {
  const { ownerReferences = [] } = object.metadata;
  return { ...object, metadata: { ...object.metadata, ownerReferences: [...ownerReferences, reference] } };
}

/** The object without that owner. */
export function released<T extends ApiObject>(object: T, ownerUid: string | undefined): T {
  const ownerReferences = object.metadata.ownerReferences?.filter(({ uid }) => uid !== ownerUid);
  return { ...object, metadata: { ...object.metadata, ownerReferences } };
}
