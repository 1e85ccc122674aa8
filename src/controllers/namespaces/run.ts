import { Namespace } from '../../api/core/namespace.ts';
import { isConflict, isNotFound } from '../../api/errors.ts';
import { nameOf, namespaceOf } from '../../api/meta/object-meta.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import type { Kind } from '../../api/schema.ts';
import type { Change } from '../../client/caches.ts';
import type { WorkResult } from '../../client/work-queue.ts';
import { contentCaches, storedKinds } from '../content-caches.ts';
import { createShell } from '../context.ts';
import type { ControllerContext } from '../context.ts';
import { sameJson } from '../../lib/json.ts';
import { deletionConditions, finalized, isLeaving } from './reconcile.ts';
import type { Remaining } from './reconcile.ts';

/** Look again this often while content does not go: a safety net, since every deletion wakes the Namespace. */
const recheckMs = 10_000;
const pageSize = 500;

/** Empties Namespaces that are deleted, and then lets them go. */
export async function startNamespaces(context: ControllerContext): Promise<AsyncDisposable> {
  const { caches, client, now } = context;
  const namespaces = caches.of(Namespace);
  const contents = contentCaches(caches).filter(({ kind }) => kind.namespaced);
  const kinds = storedKinds().filter(({ namespaced }) => namespaced);
  const shell = createShell(context, 'namespaces');

  const queue = shell.queue(async (name) => {
    const namespace = namespaces.get(name);
    return namespace !== undefined && isLeaving(namespace) ? empty(namespace) : undefined;
  });

  async function empty(namespace: Namespace): Promise<WorkResult | undefined> {
    const failures: string[] = [];
    const left = await Promise.all(kinds.map((kind) => deleteAll(kind, nameOf(namespace), failures)));
    const remaining = left.filter(({ objects }) => objects.length > 0);
    if (remaining.length === 0 && failures.length === 0 && (await isEmpty(nameOf(namespace)))) {
      await client.update(Namespace, finalized(namespace), { subresource: 'finalize' });
      return undefined;
    }
    const conditions = deletionConditions(namespace, remaining, failures, now());
    if (!sameJson(conditions, namespace.status?.conditions)) {
      const status = { ...namespace.status, conditions };
      await client.update(Namespace, { ...namespace, status }, { subresource: 'status' });
    }
    return { againAfterMs: recheckMs };
  }

  /** Deletes one page of a kind; returns what is still there. */
  async function deleteAll(kind: Kind, namespace: string, failures: string[]): Promise<Remaining> {
    const { items } = await client.list(kind, { namespace, limit: pageSize });
    const left = await Promise.all(items.map((object) => deleteOne(kind, object, failures)));
    return { kind, objects: left.filter((object) => object !== undefined) };
  }

  async function deleteOne(kind: Kind, object: ApiObject, failures: string[]): Promise<ApiObject | undefined> {
    const { namespace, uid, deletionTimestamp } = object.metadata;
    if (deletionTimestamp !== undefined) return object;
    try {
      const options = { namespace, propagationPolicy: 'Background', preconditions: { uid } } as const;
      return await client.delete(kind, nameOf(object), options);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (!isConflict(error)) failures.push(error instanceof Error ? error.message : String(error));
      return object;
    }
  }

  /** Asked of the server itself: a cache may be behind. */
  async function isEmpty(namespace: string): Promise<boolean> {
    const lists = await Promise.all(kinds.map((kind) => client.list(kind, { namespace, limit: 1 })));
    return lists.every(({ items }) => items.length === 0);
  }

  function contentChanged({ old, current }: Change<ApiObject>): void {
    const name = current === undefined && old !== undefined ? namespaceOf(old) : '';
    const namespace = name === '' ? undefined : namespaces.get(name);
    if (namespace !== undefined && isLeaving(namespace)) queue.add(name);
  }

  if (!(await shell.ready(namespaces, ...contents.map(({ cache }) => cache)))) return shell;
  for (const { cache } of contents) shell.keep(cache.subscribe((changes) => changes.forEach(contentChanged)));
  shell.keep(
    namespaces.subscribe((changes) => {
      for (const { current } of changes) if (current !== undefined && isLeaving(current)) queue.add(nameOf(current));
    }),
  );
  return shell;
}
