import { isDeepStrictEqual } from 'node:util';
import type { ApiObject, ObjectMeta } from './meta/object-meta.ts';
import type { Kind } from './schema.ts';
import { formatTime } from './times.ts';

/**
 * What the server takes from the client's object and what it keeps to itself, before validation: status belongs to the
 * status subresource, system metadata to the server, and the generation counts changes of the wanted state.
 */

type JsonObject = Readonly<Record<string, unknown>>;

function isWanted(name: string): boolean {
  return name !== 'metadata' && name !== 'status' && name !== 'kind' && name !== 'apiVersion';
}

/** The parts of an object that its author decides: all but type, metadata and status. */
function wantedState(object: ApiObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => isWanted(name)));
}

function withoutStatus<T extends ApiObject>(object: T): T {
  const { status: _, ...rest } = object as T & { readonly status?: unknown };
  return rest as unknown as T;
}

function withMetadata<T extends ApiObject>(object: T, metadata: ObjectMeta): T {
  return { ...object, metadata };
}

/** What the server gives a new object. */
export interface Birth {
  readonly uid: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A new object as the server will store it. The name must be set already (`generatedName`). */
export function prepareCreate<T extends ApiObject>(kind: Kind<T>, object: T, birth: Birth): T {
  const { deletionTimestamp: _1, deletionGracePeriodSeconds: _2, selfLink: _3, ...rest } = object.metadata;
  const { resourceVersion: _4, generation: _5, ...kept } = rest;
  const metadata: ObjectMeta = {
    ...kept,
    uid: birth.uid,
    ...(kind.hasGeneration && { generation: 1 }),
    creationTimestamp: formatTime(birth.now),
  };
  const losesStatus = kind.hasStatus && kind.createsWithStatus !== true;
  const clean = withMetadata(losesStatus ? withoutStatus(object) : object, metadata);
  return kind.prepareForCreate?.(clean) ?? clean;
}

const serverOwned = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
] as const;

function carryMetadata(meta: ObjectMeta, old: ObjectMeta): ObjectMeta {
  const owned = Object.fromEntries(
    serverOwned.filter((name) => old[name] !== undefined).map((name) => [name, old[name]]),
  );
  const rest = Object.entries(meta).filter(
    ([name]) => !serverOwned.some((each) => each === name) && name !== 'selfLink',
  );
  return { ...Object.fromEntries(rest), ...owned };
}

/** A main-resource write: status stays the old one, the generation counts. */
function prepareMain<T extends ApiObject>(kind: Kind<T>, object: T, old: T): T {
  const status = (old as T & { readonly status?: unknown }).status;
  const carried = withMetadata(object, carryMetadata(object.metadata, old.metadata));
  const base = kind.hasStatus ? { ...withoutStatus(carried), ...(status !== undefined && { status }) } : carried;
  const prepared = kind.prepareForUpdate?.(base, old) ?? base;
  if (!kind.hasGeneration || isDeepStrictEqual(wantedState(prepared), wantedState(old))) return prepared;
  return withMetadata(prepared, { ...prepared.metadata, generation: (old.metadata.generation ?? 0) + 1 });
}

/** A status write: everything else stays the old one, except annotations and managed fields. */
function prepareStatus<T extends ApiObject>(object: T, old: T): T {
  const status = (object as T & { readonly status?: unknown }).status;
  const meta = carryMetadata(object.metadata, old.metadata);
  const { labels: _1, ownerReferences: _2, ...rest } = meta;
  const { labels, ownerReferences } = old.metadata;
  const metadata = { ...rest, ...(labels && { labels }), ...(ownerReferences && { ownerReferences }) };
  return { ...withoutStatus(old), ...(status !== undefined && { status }), metadata };
}

/**
 * The changed object as the server will store it. `subresource` is undefined for the main resource, `status`, or another
 * name, for which only server-owned metadata is carried over.
 */
export function prepareUpdate<T extends ApiObject>(kind: Kind<T>, object: T, old: T, subresource?: string): T {
  if (subresource === undefined) return prepareMain(kind, object, old);
  if (subresource === 'status') return prepareStatus(object, old);
  return withMetadata(object, carryMetadata(object.metadata, old.metadata));
}

const nameAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** A name from `metadata.generateName`: at most 58 characters of it and 5 random ones. `random` answers 0 to below 1. */
export function generatedName(prefix: string, random: () => number): string {
  const letters = Array.from({ length: 5 }, () => nameAlphabet[Math.floor(random() * nameAlphabet.length)]);
  return prefix.slice(0, 58) + letters.join('');
}
