import { conflict, notFound } from '../../api/errors.ts';
import type { DeleteOptions } from '../../api/meta/delete-options.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import { formatTime } from '../../api/times.ts';
import type { Operation } from '../../store/store.ts';
import { admit } from '../admission/admission.ts';
import { encodeStored, Item } from '../cache/item.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Server } from '../server.ts';
import { cacheOf, keyOf } from '../server.ts';
import { hasSpecFinalizers } from './update-object.ts';

/** What became of a delete: the object is gone, or stays until its grace period or finalizers are over. */
export interface Deleted {
  readonly item: Item;
  readonly isGone: boolean;
}

const orphan = 'orphan';
const foreground = 'foregroundDeletion';
const attempts = 20;

/** Deletes one object, or marks it. Throws `ApiError` 404, 409 for preconditions, and what admission throws. */
export async function deleteStored(
  exchange: ResourceExchange,
  server: Server,
  name: string,
  options: DeleteOptions,
): Promise<Deleted> {
  const { kind, info } = exchange;
  let live = cacheOf(server, kind).items.get(keyOf(kind, info.namespace, name));
  for (let attempt = 1; attempt <= attempts; attempt++) {
    if (live === undefined) throw notFound(kind, name);
    checkPreconditions(exchange, live, options);
    const outcome = await attemptDelete(exchange, server, live, options);
    if ('isGone' in outcome) return outcome;
    live = outcome.current;
  }
  throw conflict(kind, name);
}

async function attemptDelete(
  exchange: ResourceExchange,
  server: Server,
  live: Item,
  options: DeleteOptions,
): Promise<Deleted | { readonly current: Item | undefined }> {
  const dryRun = (options.dryRun ?? []).includes('All');
  const { kind, info, identity } = exchange;
  const old = live.object;
  const request = {
    operation: 'delete' as const,
    kind,
    subresource: undefined,
    namespace: info.namespace,
    name: live.name,
    identity,
    dryRun,
    old,
  };
  const marked = mark(withoutVersion(old), options, server.now());
  const isGone = marked === undefined;
  if (marked !== undefined && marked === 'unchanged') return { item: live, isGone: false };
  const admitted = await admit(server.admission, request, marked ?? old);
  const value = encodeStored(marked === undefined ? old : admitted.object);
  if (dryRun) {
    admitted.release?.();
    return { item: new Item(live.key, value, live.revision), isGone };
  }
  const { key, revision: expected } = live;
  const own: Operation = isGone ? { type: 'delete', key, expected } : { type: 'put', key, value, expected };
  const result = await server.store.commit([own, ...(isGone ? admitted.operations : [])]);
  if (result.ok) return { item: new Item(key, value, result.revision), isGone };
  admitted.release?.();
  if (result.conflict === key) return { current: result.current && Item.of(result.current) };
  await server.cache.fresh();
  return { current: cacheOf(server, kind).items.get(key) };
}

/**
 * The object with its deletion written into it; undefined when nothing holds it and it goes at once, `unchanged` when it
 * is on its way already and these options do not hasten it.
 */
export function mark(object: ApiObject, options: DeleteOptions, nowMs: number): ApiObject | 'unchanged' | undefined {
  const finalizers = finalizersFor(object, options);
  const grace = gracePeriod(object, options);
  if (grace === 0 && finalizers.length === 0 && !hasSpecFinalizers(object)) return undefined;
  const { deletionTimestamp, deletionGracePeriodSeconds: oldGrace, generation } = object.metadata;
  const hasSameFinalizers = finalizers.join() === (object.metadata.finalizers ?? []).join();
  const isSooner = deletionTimestamp === undefined || grace < (oldGrace ?? 0);
  if (!isSooner && hasSameFinalizers) return 'unchanged';
  const { finalizers: _, ...metadata } = object.metadata;
  const kept = finalizers.length > 0 ? { finalizers } : {};
  if (!isSooner) return { ...object, metadata: { ...metadata, ...kept } };
  const time = formatTime(nowMs + grace * 1000);
  const next = deletionTimestamp === undefined && generation !== undefined ? { generation: generation + 1 } : {};
  return terminating({
    ...object,
    metadata: { ...metadata, ...next, deletionTimestamp: time, deletionGracePeriodSeconds: grace, ...kept },
  });
}

/** A Namespace shows that it is on its way. */
function terminating(object: ApiObject): ApiObject {
  if (object.kind !== 'Namespace') return object;
  const status = 'status' in object && typeof object.status === 'object' ? object.status : {};
  return Object.assign({}, object, { status: { ...status, phase: 'Terminating' } });
}

/** Seconds until a Pod may be removed; anything else has none. A Pod that never ran or has ended goes at once. */
function gracePeriod(object: ApiObject, options: DeleteOptions): number {
  if (object.kind !== 'Pod') return 0;
  const spec = fieldsOf(object, 'spec');
  const phase = fieldsOf(object, 'status')['phase'];
  if (!spec['nodeName'] || phase === 'Succeeded' || phase === 'Failed') return 0;
  const own = typeof spec['terminationGracePeriodSeconds'] === 'number' ? spec['terminationGracePeriodSeconds'] : 30;
  const asked = options.gracePeriodSeconds ?? own;
  return asked < 0 ? 1 : asked;
}

/** `Foreground` and `Orphan` leave the garbage collector its order as a finalizer; `Background` takes them back. */
function finalizersFor(object: ApiObject, options: DeleteOptions): readonly string[] {
  const current = object.metadata.finalizers ?? [];
  const policy =
    options.orphanDependents === undefined
      ? options.propagationPolicy
      : options.orphanDependents
        ? 'Orphan'
        : 'Background';
  if (policy === undefined) return current;
  const others = current.filter((finalizer) => finalizer !== orphan && finalizer !== foreground);
  if (policy === 'Orphan') return [...others, orphan];
  return policy === 'Foreground' ? [...others, foreground] : others;
}

function checkPreconditions(exchange: ResourceExchange, live: Item, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const own = live.object.metadata.uid ?? '';
  if (uid !== undefined && uid !== own) {
    throw conflict(
      exchange.kind,
      live.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${own}`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== `${live.revision}`) {
    const text = `ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${live.revision}`;
    throw conflict(exchange.kind, live.name, `Precondition failed: ${text}`);
  }
}

function fieldsOf(object: ApiObject, name: string): Readonly<Record<string, unknown>> {
  const value = Object.entries(object).find(([key]) => key === name)?.[1];
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function withoutVersion(object: ApiObject): ApiObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
