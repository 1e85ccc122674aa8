import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import type { Cache, CacheOptions, Change, ChangeHandler } from './caches.ts';
import type { WatchEvent } from './client.ts';
import { createIndex, type MutableIndex } from './object-index.ts';

/** A cache with its writing side: what the watch loop and the write-through client call. */
export interface ObjectCache<T> extends Cache<T> {
  /** Events of the watch, in order. */
  apply(events: readonly WatchEvent<T>[]): void;
  /** A full list as of `resourceVersion`; handlers hear of the difference only. */
  replace(items: readonly T[], resourceVersion: string): void;
  /** What is kept of exactly this object, when it is. */
  known(object: T): T | undefined;
  /** Objects of the first full list, while it comes in. */
  add(items: readonly T[]): void;
  /** The first full list is in: every object that is not among `keys` is gone. */
  listed(keys: ReadonlySet<string>, resourceVersion: string): void;
  /** The answer to a write of this process; ignored when the watch is already past it. */
  written(object: T): void;
  /** The object is gone by a delete of this process. */
  deleted(object: T): void;
}

export interface ObjectCacheOptions<T> extends Pick<CacheOptions<T>, 'retain'> {
  /** What is kept of an object written by this process; what the watch brings has been through it. */
  readonly keep?: (object: T) => T;
  /** Told about a handler that threw. */
  readonly onHandlerError: (error: unknown) => void;
}

/** The revision of an object as a number; Kubernetes guarantees since 1.35 that they compare. */
export function revisionOf(object: ApiObject): number {
  return Number(object.metadata.resourceVersion ?? 0);
}

/** `namespace/name`. */
export function keyOf({ metadata }: ApiObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

function isSame({ metadata: a }: ApiObject, { metadata: b }: ApiObject): boolean {
  return a.uid === b.uid && a.resourceVersion === b.resourceVersion;
}

/** A new, empty cache; nothing feeds it yet. */
export function createObjectCache<T extends ApiObject>(kind: Kind<T>, options: ObjectCacheOptions<T>): ObjectCache<T> {
  const objects = new Map<string, T>();
  const indexes = new Map<string, MutableIndex<T>>();
  const handlers = new Set<ChangeHandler<T>>();
  /** Keys deleted by this process whose DELETED event is still to come, with the uid. */
  const tombstones = new Map<string, string | undefined>();
  /** Keys written by this process before the first list is in. */
  const ahead = new Set<string>();
  const { promise: synced, resolve: markSynced } = Promise.withResolvers<void>();
  let isSynced = false;
  /** Every event up to this revision is applied. */
  let seenRevision = 0;

  const byNamespace = addIndex('namespace', ({ metadata }) => (metadata.namespace ? [metadata.namespace] : []));

  function addIndex(name: string, keysOf: (object: T) => readonly string[]): MutableIndex<T> {
    const existing = indexes.get(name);
    if (existing !== undefined) return existing;
    const index = createIndex(keysOf);
    for (const [key, object] of objects) index.change(key, undefined, object);
    indexes.set(name, index);
    return index;
  }

  function put(key: string, old: T | undefined, current: T | undefined): Change<T> {
    const kept = current === undefined ? undefined : (options.retain?.(current) ?? current);
    if (kept === undefined) objects.delete(key);
    else objects.set(key, kept);
    for (const index of indexes.values()) index.change(key, old, kept);
    return { old, current };
  }

  function store(object: T): Change<T> | undefined {
    const key = keyOf(object);
    const old = objects.get(key);
    if (old !== undefined && revisionOf(old) >= revisionOf(object)) return undefined;
    if (isDeleted(object)) return undefined;
    return put(key, old, object);
  }

  function isDeleted(object: T): boolean {
    const key = keyOf(object);
    return tombstones.has(key) && tombstones.get(key) === object.metadata.uid;
  }

  /**
   * Takes an object as a list has it, also at a smaller revision than what is here: after a restore of the server's store
   * objects have revisions that were seen long ago, whatever the revision of the list.
   */
  function storeListed(object: T): Change<T> | undefined {
    const key = keyOf(object);
    const old = objects.get(key);
    return isDeleted(object) || (old !== undefined && isSame(old, object)) ? undefined : put(key, old, object);
  }

  function remove(object: T): Change<T> | undefined {
    const key = keyOf(object);
    if (tombstones.get(key) === object.metadata.uid) tombstones.delete(key);
    const old = objects.get(key);
    if (old === undefined || revisionOf(old) > revisionOf(object)) return undefined;
    return put(key, old, undefined);
  }

  function emit(changes: readonly (Change<T> | undefined)[]): void {
    const real = changes.filter((change) => change !== undefined);
    if (real.length === 0) return;
    for (const handler of handlers) call(handler, real);
  }

  function call(handler: ChangeHandler<T>, changes: readonly Change<T>[]): void {
    try {
      handler(changes);
    } catch (error) {
      options.onHandlerError(error);
    }
  }

  function applyEvent({ type, object }: WatchEvent<T>): Change<T> | undefined {
    seenRevision = Math.max(seenRevision, revisionOf(object));
    if (type === 'BOOKMARK') return undefined;
    return type === 'DELETED' ? remove(object) : store(object);
  }

  function completeAt(revision: number): void {
    seenRevision = revision;
    isSynced = true;
    markSynced();
  }

  return {
    kind,
    synced,
    get isSynced() {
      return isSynced;
    },
    get size() {
      return objects.size;
    },
    get: (name, namespace = '') => objects.get(`${namespace}/${name}`),
    list: (namespace) => (namespace === undefined ? [...objects.values()] : byNamespace.get(namespace)),
    index: (name, keysOf) => addIndex(name, keysOf).get,
    subscribe(handler) {
      // A wrapper of its own, so that one function may subscribe twice.
      const own: ChangeHandler<T> = (changes) => handler(changes);
      handlers.add(own);
      if (objects.size > 0)
        call(
          own,
          Array.from(objects.values(), (current) => ({ old: undefined, current })),
        );
      return { [Symbol.dispose]: () => void handlers.delete(own) };
    },
    apply: (events) => emit(events.map(applyEvent)),
    known(object) {
      const found = objects.get(keyOf(object));
      return found !== undefined && isSame(found, object) ? found : undefined;
    },
    add: (items) => emit(items.map((item) => (ahead.has(keyOf(item)) ? store(item) : storeListed(item)))),
    listed(keys, resourceVersion) {
      const revision = Number(resourceVersion);
      const gone = [...objects].filter(([key, object]) => !keys.has(key) && revisionOf(object) <= revision);
      tombstones.clear();
      ahead.clear();
      emit(gone.map(([key, object]) => put(key, object, undefined)));
      completeAt(revision);
    },
    replace(items, resourceVersion) {
      const revision = Number(resourceVersion);
      // The server went back in time (its store was restored or made anew): nothing that is here counts.
      const startsOver = revision < seenRevision;
      const isAhead = (object: T | undefined) => object !== undefined && !startsOver && revisionOf(object) > revision;
      tombstones.clear();
      const present = new Map(items.map((item) => [keyOf(item), item]));
      const isGone = (key: string, object: T) =>
        !isAhead(object) && present.get(key)?.metadata.uid !== object.metadata.uid;
      const gone = [...objects].filter(([key, object]) => isGone(key, object));
      emit([
        ...gone.map(([key, object]) => put(key, object, undefined)),
        ...items.map((item) => (isAhead(objects.get(keyOf(item))) ? undefined : storeListed(item))),
      ]);
      completeAt(revision);
    },
    written(object) {
      if (revisionOf(object) <= seenRevision) return;
      if (!isSynced) ahead.add(keyOf(object));
      emit([store(options.keep?.(object) ?? object)]);
    },
    deleted(object) {
      const key = keyOf(object);
      const old = objects.get(key);
      if (old === undefined || old.metadata.uid !== object.metadata.uid) return;
      tombstones.set(key, object.metadata.uid);
      emit([put(key, old, undefined)]);
    },
  };
}
