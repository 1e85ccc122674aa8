import { isDeepStrictEqual } from 'node:util';
import type { ApiObject, ObjectMeta } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import type { DeleteOptions } from './client.ts';

/**
 * What the fake API server knows about objects: pure functions from the stored object and the request to the new object.
 * Objects are plain records here, because the rules are the same for every kind.
 */
export type StoredObject = ApiObject & Readonly<Record<string, unknown>>;

const systemFields: readonly (keyof ObjectMeta)[] = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'namespace',
  'name',
];

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A new object as it is stored: without the status that only `/status` may write; a Namespace is born Active. */
export function created(kind: Kind, object: StoredObject, metadata: ObjectMeta): StoredObject {
  const { status, ...rest } = object;
  const kept = kind.hasStatus || status === undefined ? {} : { status };
  const born = { ...rest, ...kept, apiVersion: kind.apiVersion, kind: kind.kind, metadata };
  if (kind.kind !== 'Namespace') return born;
  return { ...born, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } };
}

/** The outcome of a PUT: system fields and status stay, `generation` grows when anything but metadata changed. */
export function updated(kind: Kind, old: StoredObject, sent: StoredObject): StoredObject {
  const kept = Object.fromEntries(systemFields.map((name) => [name, old.metadata[name]]));
  const status = kind.hasStatus ? old['status'] : sent['status'];
  const spec = kind.kind === 'Namespace' ? old['spec'] : sent['spec'];
  const next = clean({ ...sent, apiVersion: kind.apiVersion, kind: kind.kind, spec, status });
  const metadata = { ...sent.metadata, ...kept };
  if (kind.hasGeneration && !isDeepStrictEqual(contentOf(next), contentOf(old))) {
    metadata.generation = (old.metadata.generation ?? 0) + 1;
  }
  return { ...next, metadata: cleanMeta(metadata) };
}

function contentOf({ metadata: _metadata, status: _status, ...content }: StoredObject): unknown {
  return clean(content);
}

/** The outcome of a PUT on a subresource; undefined when the fake does not serve it. */
export function updatedSubresource(name: string, old: StoredObject, sent: StoredObject): StoredObject | undefined {
  if (name === 'status') return clean({ ...old, status: sent['status'] });
  if (name === 'finalize') return { ...old, spec: sent['spec'] };
  return undefined;
}

/** RFC 7396. */
export function mergePatched(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatched(result[name], value);
  }
  return result;
}

/** The object marked for deletion, with the finalizer that the propagation policy asks for. */
export function markedDeleted(object: StoredObject, options: DeleteOptions, time: string): StoredObject {
  const finalizers = finalizersFor(object, options);
  const graceSeconds = graceOf(object, options);
  const metadata = {
    ...object.metadata,
    deletionTimestamp: object.metadata.deletionTimestamp ?? time,
    deletionGracePeriodSeconds: graceSeconds,
    finalizers: finalizers.length > 0 ? finalizers : undefined,
  };
  const marked = { ...object, metadata: cleanMeta(metadata) };
  return object.kind === 'Namespace' ? { ...marked, status: { phase: 'Terminating' } } : marked;
}

function finalizersFor(object: StoredObject, { propagationPolicy }: DeleteOptions): readonly string[] {
  const present = object.metadata.finalizers ?? [];
  if (propagationPolicy === undefined) return present;
  const others = present.filter((name) => name !== 'foregroundDeletion' && name !== 'orphan');
  if (propagationPolicy === 'Foreground') return [...others, 'foregroundDeletion'];
  return propagationPolicy === 'Orphan' ? [...others, 'orphan'] : others;
}

/** Seconds that an object may take to go: only Pods that an agent may be running have any. */
function graceOf(object: StoredObject, { gracePeriodSeconds }: DeleteOptions): number {
  const spec = object['spec'];
  const status = object['status'];
  if (object.kind !== 'Pod' || !isRecord(spec) || !spec['nodeName']) return 0;
  if (isRecord(status) && (status['phase'] === 'Succeeded' || status['phase'] === 'Failed')) return 0;
  const asked = gracePeriodSeconds ?? spec['terminationGracePeriodSeconds'];
  const wanted = typeof asked === 'number' ? asked : 30;
  return Math.min(wanted, object.metadata.deletionGracePeriodSeconds ?? wanted);
}

/** Nothing holds the object back any more. */
export function mayGo(object: StoredObject): boolean {
  const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds = 0 } = object.metadata;
  if (!deletionTimestamp || finalizers.length > 0 || deletionGracePeriodSeconds > 0) return false;
  const spec = object['spec'];
  const held = object.kind === 'Namespace' && isRecord(spec) ? spec['finalizers'] : undefined;
  return !Array.isArray(held) || held.length === 0;
}

/** Without fields that are undefined: what JSON would carry. */
function clean<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function cleanMeta(metadata: ObjectMeta): ObjectMeta {
  return clean(metadata);
}

/** Same content, revision aside: such a write changes nothing. */
export function isSameObject(a: StoredObject, b: StoredObject): boolean {
  return isDeepStrictEqual(withoutRevision(a), withoutRevision(b));
}

function withoutRevision(object: StoredObject): unknown {
  const { resourceVersion: _revision, managedFields: _managed, ...metadata } = object.metadata;
  return clean({ ...object, metadata });
}
