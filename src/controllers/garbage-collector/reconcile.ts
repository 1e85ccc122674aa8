import type { ApiObject, OwnerReference } from '../../api/meta/object-meta.ts';

const foregroundFinalizer = 'foregroundDeletion';
const orphanFinalizer = 'orphan';

/** How an owner stands: `waiting` is on its way out and waits for its dependents to go first. */
export type OwnerState = 'present' | 'absent' | 'waiting';

/** What to do about one object; `wait` and `keep` are both nothing. */
export type Decision =
  | { readonly action: 'keep' }
  | { readonly action: 'delete'; readonly propagationPolicy: 'Foreground' | 'Background' | 'Orphan' }
  /** Some owners are gone and others are not: only the references to the first go. */
  | { readonly action: 'setOwners'; readonly ownerReferences: readonly OwnerReference[] }
  /** All its blocking dependents are gone, or it has orphaned them: the finalizer goes. */
  | { readonly action: 'setFinalizers'; readonly finalizers: readonly string[] }
  /** Its dependents lose it as their owner; after that its finalizer goes. */
  | { readonly action: 'orphan'; readonly dependents: readonly ApiObject[] };

export interface GarbageInput {
  readonly object: ApiObject;
  readonly stateOf: (reference: OwnerReference) => OwnerState;
  /** The objects that name it as an owner. */
  readonly dependents: readonly ApiObject[];
}

/** Is the object waiting for its dependents to go first? */
export function isWaitingForDependents({ metadata }: ApiObject): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(foregroundFinalizer);
}

/** Is there a finalizer that the garbage collector has to take away? */
export function awaitsCollector({ metadata }: ApiObject): boolean {
  const { deletionTimestamp, finalizers = [] } = metadata;
  return (
    deletionTimestamp !== undefined &&
    finalizers.some((name) => name === foregroundFinalizer || name === orphanFinalizer)
  );
}

/** The rules of cascading deletion for one object. */
export function decideGarbage({ object, stateOf, dependents }: GarbageInput): Decision {
  const { deletionTimestamp, finalizers = [], ownerReferences = [] } = object.metadata;
  if (deletionTimestamp !== undefined) return decideLeaving(object, dependents);
  if (ownerReferences.length === 0) return { action: 'keep' };
  const states = ownerReferences.map(stateOf);
  if (states.includes('present')) {
    const present = ownerReferences.filter((_, index) => states[index] === 'present');
    return present.length === ownerReferences.length
      ? { action: 'keep' }
      : { action: 'setOwners', ownerReferences: present };
  }
  if (states.includes('waiting') && dependents.length > 0) return { action: 'delete', propagationPolicy: 'Foreground' };
  return { action: 'delete', propagationPolicy: policyOf(finalizers) };
}

function decideLeaving(object: ApiObject, dependents: readonly ApiObject[]): Decision {
  const { finalizers = [], uid } = object.metadata;
  const without = (name: string) => finalizers.filter((each) => each !== name);
  if (finalizers.includes(orphanFinalizer)) {
    if (dependents.length > 0) return { action: 'orphan', dependents };
    return { action: 'setFinalizers', finalizers: without(orphanFinalizer) };
  }
  if (!finalizers.includes(foregroundFinalizer)) return { action: 'keep' };
  const isBlocked = dependents.some(({ metadata }) =>
    metadata.ownerReferences?.some((reference) => reference.uid === uid && reference.blockOwnerDeletion === true),
  );
  if (isBlocked) return { action: 'keep' };
  return { action: 'setFinalizers', finalizers: without(foregroundFinalizer) };
}

/** A deletion keeps what an earlier one asked for. */
function policyOf(finalizers: readonly string[]): 'Foreground' | 'Background' | 'Orphan' {
  if (finalizers.includes(orphanFinalizer)) return 'Orphan';
  return finalizers.includes(foregroundFinalizer) ? 'Foreground' : 'Background';
}
