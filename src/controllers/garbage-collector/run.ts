import { isNotFound } from '../../api/errors.ts';
import { nameOf } from '../../api/meta/object-meta.ts';
import type { ApiObject, OwnerReference } from '../../api/meta/object-meta.ts';
import { kindOfObject } from '../../api/registry.ts';
import type { Kind } from '../../api/schema.ts';
import type { Change } from '../../client/caches.ts';
import { contentCaches } from '../content-caches.ts';
import { createShell } from '../context.ts';
import type { ControllerContext } from '../context.ts';
import { sameJson } from '../../lib/json.ts';
import { unlessGone } from '../writes.ts';
import { awaitsCollector, decideGarbage, isWaitingForDependents } from './reconcile.ts';
import type { OwnerState } from './reconcile.ts';

interface Found {
  readonly kind: Kind;
  readonly object: ApiObject;
}

/** Deletes objects whose owners are gone, and lets owners go when their dependents are. */
export async function startGarbageCollector(context: ControllerContext): Promise<AsyncDisposable> {
  const { caches, client } = context;
  const contents = contentCaches(caches).map(({ kind, cache }) => ({
    kind,
    cache,
    byUid: cache.index('uid', ({ metadata }) => (metadata.uid === undefined ? [] : [metadata.uid])),
    byOwner: cache.index('owner-uid', ({ metadata }) => (metadata.ownerReferences ?? []).map(({ uid }) => uid)),
  }));
  const shell = createShell(context, 'garbage-collector');

  const queue = shell.queue(async (uid) => {
    const found = find(uid);
    if (found === undefined) return;
    const states = await ownerStates(found.object);
    const dependents = dependentsOf(uid).map(({ object }) => object);
    const decision = decideGarbage({
      object: found.object,
      stateOf: (reference) => states.get(reference.uid) ?? 'present',
      dependents,
    });
    switch (decision.action) {
      case 'keep':
        return;
      case 'delete':
        return deleteObject(found, decision.propagationPolicy);
      case 'setOwners':
        return patch(found, { ownerReferences: decision.ownerReferences });
      case 'setFinalizers':
        return patch(found, { finalizers: decision.finalizers });
      case 'orphan':
        await Promise.all(dependentsOf(uid).map((dependent) => disown(dependent, uid)));
        queue.add(uid);
    }
  });

  function find(uid: string): Found | undefined {
    for (const { kind, byUid } of contents) {
      const [object] = byUid(uid);
      if (object !== undefined) return { kind, object };
    }
    return undefined;
  }

  function dependentsOf(uid: string): Found[] {
    return contents.flatMap(({ kind, byOwner }) => byOwner(uid).map((object) => ({ kind, object })));
  }

  async function ownerStates({ metadata }: ApiObject): Promise<Map<string, OwnerState>> {
    if (metadata.deletionTimestamp !== undefined) return new Map();
    const references = metadata.ownerReferences ?? [];
    const states = references.map(async (each) => [each.uid, await stateOf(each, metadata.namespace)] as const);
    return new Map(await Promise.all(states));
  }

  /** An owner that no cache shows is asked for: events of different kinds come in no order. */
  async function stateOf(reference: OwnerReference, namespace: string | undefined): Promise<OwnerState> {
    const owner = find(reference.uid)?.object;
    if (owner !== undefined) return isWaitingForDependents(owner) ? 'waiting' : 'present';
    const kind = kindOfObject(reference.apiVersion, reference.kind);
    // Nobody can tell about a kind that is not served here, nor about a namespaced owner of a cluster-wide object.
    if (kind === undefined || (kind.namespaced && namespace === undefined)) return 'present';
    try {
      const live = await client.get(kind, reference.name, kind.namespaced ? { namespace } : {});
      return live.metadata.uid === reference.uid ? 'present' : 'absent';
    } catch (error) {
      if (isNotFound(error)) return 'absent';
      throw error;
    }
  }

  async function deleteObject({ kind, object }: Found, propagationPolicy: 'Foreground' | 'Background' | 'Orphan') {
    const { namespace, uid, resourceVersion } = object.metadata;
    const preconditions = { uid, resourceVersion };
    await unlessGone(client.delete(kind, nameOf(object), { namespace, propagationPolicy, preconditions }));
  }

  async function patch({ kind, object }: Found, metadata: Partial<ApiObject['metadata']>): Promise<void> {
    const { namespace, uid, resourceVersion } = object.metadata;
    const body = { metadata: { uid, resourceVersion, ...metadata } };
    await unlessGone(client.patch(kind, nameOf(object), { type: 'merge', body }, { namespace }));
  }

  async function disown(dependent: Found, ownerUid: string): Promise<void> {
    const references = dependent.object.metadata.ownerReferences ?? [];
    await patch(dependent, { ownerReferences: references.filter(({ uid }) => uid !== ownerUid) });
  }

  function changed({ old, current }: Change<ApiObject>): void {
    if (old !== undefined && old.metadata.uid !== current?.metadata.uid) left(old);
    if (current !== undefined) came(old, current);
  }

  /** Its dependents may have to follow, and owners may have waited for it. */
  function left(object: ApiObject): void {
    for (const dependent of dependentsOf(object.metadata.uid ?? '')) queue.add(dependent.object.metadata.uid ?? '');
    wakeOwners(object);
  }

  function came(old: ApiObject | undefined, current: ApiObject): void {
    const { uid = '', ownerReferences = [] } = current.metadata;
    if (awaitsCollector(current)) {
      queue.add(uid);
      for (const dependent of dependentsOf(uid)) queue.add(dependent.object.metadata.uid ?? '');
    }
    if (old !== undefined && sameJson(old.metadata.ownerReferences, ownerReferences)) return;
    if (old !== undefined) wakeOwners(old);
    const isSettled = ownerReferences.every((reference) => {
      const owner = find(reference.uid)?.object;
      return owner !== undefined && !isWaitingForDependents(owner);
    });
    if (!isSettled) queue.add(uid);
  }

  function wakeOwners({ metadata }: ApiObject): void {
    for (const { uid } of metadata.ownerReferences ?? []) {
      const owner = find(uid)?.object;
      if (owner !== undefined && awaitsCollector(owner)) queue.add(uid);
    }
  }

  if (!(await shell.ready(...contents.map(({ cache }) => cache)))) return shell;
  for (const { cache } of contents) shell.keep(cache.subscribe((changes) => changes.forEach(changed)));
  return shell;
}
