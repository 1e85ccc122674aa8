import { alreadyExists, badRequest, conflict, expired, notFound, unsupportedMediaType } from '../api/errors.ts';
import { nameOf, namespaceOf } from '../api/meta/object-meta.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import { matchesFields, matchesLabels, parseFieldSelector, parseLabelSelector } from '../api/selector.ts';
import { TransportError } from './client.ts';
import type { Client, DeleteOptions, ListOptions, WatchEvent, WatchOptions, WriteOptions } from './client.ts';
import {
  created,
  isSameObject,
  markedDeleted,
  mayGo,
  mergePatched,
  updated,
  updatedSubresource,
} from './fake-objects.ts';
import type { StoredObject } from './fake-objects.ts';

/** One call of the client, in the order they came. */
export interface FakeCall {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly subresource: string | undefined;
}

/**
 * An API server in memory that behaves like the real one where controllers can tell: revisions, conflicts, uids,
 * generations, status kept apart, finalizers, graceful deletion of Pods, watches with history and streaming lists. It does
 * not default, validate or authorize, and of patches knows only merge patches.
 */
export interface FakeApi {
  readonly client: Client;
  /** Every call so far. */
  readonly calls: readonly FakeCall[];
  /** The objects of a kind as they are. */
  objects<T extends ApiObject>(kind: Kind<T>): readonly T[];
  /** Writes an object whole, status and all, whatever is there: what another component did. */
  put<T extends ApiObject>(kind: Kind<T>, object: T): T;
  /** Removes an object at once, whatever holds it. */
  remove<T extends ApiObject>(kind: Kind<T>, name: string, namespace?: string): void;
  /** While set, open watches miss every change, and never hear of it later: as when something between loses events. */
  losesEvents: boolean;
  /** Ends every open watch, as a restart does. */
  disconnect(): void;
  /** Forgets the history so far: watches from an older revision get 410. */
  compact(): void;
  /** While set, may make a call fail: the error it returns is thrown. */
  intercept: ((call: FakeCall) => Error | undefined) | undefined;
}

export interface FakeApiOptions {
  /** Unix milliseconds. */
  readonly now?: () => number;
  /** Answer 400 to streaming lists, as older servers do. */
  readonly refusesStreaming?: boolean;
}

interface LogEntry {
  readonly revision: number;
  readonly kind: string;
  readonly old: StoredObject | undefined;
  readonly current: StoredObject | undefined;
}

type Verb = FakeCall['verb'];

export function createFakeApi(options: FakeApiOptions = {}): FakeApi {
  const { now = Date.now } = options;
  const objects = new Map<string, StoredObject>();
  const log: LogEntry[] = [];
  const calls: FakeCall[] = [];
  let revision = 1;
  let compacted = 0;
  let nextUid = 1;
  let wake = Promise.withResolvers<void>();
  let connection = new AbortController();

  const api: FakeApi = {
    client: undefined as never,
    calls,
    objects: (kind) => present(kind),
    put,
    remove(kind, name, namespace = '') {
      const old = objects.get(keyFor(kind, namespace, name));
      if (old !== undefined) commit(kind, old, undefined);
    },
    disconnect() {
      connection.abort();
      connection = new AbortController();
    },
    compact() {
      compacted = revision;
    },
    intercept: undefined,
    losesEvents: false,
  };

  function present<T extends ApiObject>(kind: Kind<T>): T[] {
    const prefix = `${kind.apiVersion}/${kind.kind}/`;
    const found = [...objects].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
    return found.map(([, object]) => object as ApiObject as T);
  }

  function enter<T extends ApiObject>(verb: Verb, kind: Kind<T>, name: string, where: WriteOptions): void {
    const call: FakeCall = {
      verb,
      kind: kind.kind,
      name,
      namespace: where.namespace ?? '',
      subresource: where.subresource,
    };
    calls.push(call);
    const error = api.intercept?.(call);
    if (error !== undefined) throw error;
  }

  function commit<T extends ApiObject>(kind: Kind<T>, old: StoredObject | undefined, next: StoredObject | undefined) {
    const target = next ?? old;
    if (target === undefined) throw new Error('nothing to commit');
    revision += 1;
    const stamped = { ...target, metadata: { ...target.metadata, resourceVersion: String(revision) } };
    const key = keyFor(kind, namespaceOf(target), nameOf(target));
    if (next === undefined) objects.delete(key);
    else objects.set(key, stamped);
    const kindKey = `${kind.apiVersion}/${kind.kind}`;
    log.push({ revision, kind: kindKey, old: next === undefined ? stamped : old, current: next && stamped });
    wake.resolve();
    wake = Promise.withResolvers();
    return stamped as ApiObject as T;
  }

  function find<T extends ApiObject>(kind: Kind<T>, name: string, namespace: string): StoredObject {
    const object = objects.get(keyFor(kind, namespace, name));
    if (object === undefined) throw notFound(kind, name);
    return object;
  }

  function freshMeta(object: ApiObject, namespace: string | undefined) {
    const { resourceVersion: _revision, generateName, ...metadata } = object.metadata;
    const uid = `uid-${nextUid++}`;
    const name = metadata.name ?? `${generateName ?? ''}${uid.slice(4).padStart(5, '0')}`;
    const prefix = generateName === undefined ? {} : { generateName };
    const place = namespace === undefined ? {} : { namespace };
    return { ...metadata, ...prefix, ...place, name, uid, creationTimestamp: timeText(now()), generation: 1 };
  }

  function create<T extends ApiObject>(kind: Kind<T>, object: T, options: WriteOptions): T {
    const namespace = options.namespace ?? object.metadata.namespace;
    enter('create', kind, nameOf(object), { ...options, namespace });
    if (options.subresource !== undefined) throw badRequest(`the fake does not serve ${options.subresource}`);
    const metadata = freshMeta(object, namespace);
    if (objects.has(keyFor(kind, metadata.namespace ?? '', metadata.name))) throw alreadyExists(kind, metadata.name);
    return commit(kind, undefined, created(asKind(kind), plain(object), metadata));
  }

  function put<T extends ApiObject>(kind: Kind<T>, object: T): T {
    const old = objects.get(keyFor(kind, namespaceOf(object), nameOf(object)));
    const metadata = { ...freshMeta(object, object.metadata.namespace), ...old?.metadata, ...object.metadata };
    return commit(kind, old, { ...plain(object), apiVersion: kind.apiVersion, kind: kind.kind, metadata });
  }

  /** Stores `next` in the place of `old`, or removes both when nothing holds the object any more. */
  function replace<T extends ApiObject>(kind: Kind<T>, old: StoredObject, next: StoredObject): T {
    if (mayGo(next)) return commit(kind, next, undefined);
    return isSameObject(old, next) ? (old as ApiObject as T) : commit(kind, old, next);
  }

  function update<T extends ApiObject>(
    verb: 'update' | 'patch',
    kind: Kind<T>,
    sent: StoredObject,
    options: WriteOptions,
  ): T {
    const namespace = options.namespace ?? namespaceOf(sent);
    enter(verb, kind, nameOf(sent), { ...options, namespace });
    const old = find(kind, nameOf(sent), namespace);
    const { resourceVersion, uid } = sent.metadata;
    if (resourceVersion && resourceVersion !== old.metadata.resourceVersion) throw conflict(kind, nameOf(sent));
    if (uid && uid !== old.metadata.uid) throw conflict(kind, nameOf(sent), 'the uid differs');
    const { subresource } = options;
    const next =
      subresource === undefined ? updated(asKind(kind), old, sent) : updatedSubresource(subresource, old, sent);
    if (next === undefined) throw badRequest(`the fake does not serve ${subresource}`);
    return replace(kind, old, next);
  }

  function remove<T extends ApiObject>(kind: Kind<T>, name: string, options: DeleteOptions): T | undefined {
    const { namespace = '', preconditions = {} } = options;
    enter('delete', kind, name, { namespace });
    const old = find(kind, name, namespace);
    const { uid, resourceVersion } = old.metadata;
    if (preconditions.uid !== undefined && preconditions.uid !== uid) throw conflict(kind, name, 'the uid differs');
    if (preconditions.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
      throw conflict(kind, name);
    }
    const marked = markedDeleted(old, options, timeText(now()));
    const left = replace<T>(kind, old, marked);
    return mayGo(marked) ? undefined : left;
  }

  async function* watchBatches<T extends ApiObject>(kind: Kind<T>, watch: WatchOptions) {
    enter('watch', kind, '', { namespace: watch.namespace });
    if (watch.sendInitialEvents && options.refusesStreaming) throw badRequest('sendInitialEvents is not supported');
    const matches = matcher(asKind(kind), watch);
    const ended = AbortSignal.any([watch.signal, connection.signal]);
    const end = aborted(ended);
    let from = Number(watch.resourceVersion ?? revision);
    if (watch.sendInitialEvents) {
      from = revision;
      yield [
        ...present(kind)
          .filter((object) => matches(plain(object)))
          .map(added),
        endOfInitial<T>(revision),
      ];
    }
    while (!ended.aborted) {
      if (from < compacted) throw expired(`too old resource version: ${from} (${compacted})`);
      const next = wake.promise;
      const upTo = revision;
      const fresh = log.filter((entry) => entry.revision > from && entry.kind === `${kind.apiVersion}/${kind.kind}`);
      const events = fresh.flatMap((entry) => eventOf<T>(entry, matches));
      from = upTo;
      if (events.length > 0 && !api.losesEvents) yield events;
      else await Promise.race([next, end]);
    }
  }

  const client: Client = {
    transport: {
      request: async () => {
        throw new TransportError('the fake has no transport');
      },
      [Symbol.asyncDispose]: async () => {},
    },
    async get(kind, name, options = {}) {
      enter('get', kind, name, options);
      return find(kind, name, options.namespace ?? '') as ApiObject as never;
    },
    async list(kind, options = {}) {
      enter('list', kind, '', { namespace: options.namespace });
      const matches = matcher(asKind(kind), options);
      const items = present(kind).filter((object) => matches(plain(object)));
      return { metadata: { resourceVersion: String(revision) }, items };
    },
    watchBatches,
    async *watch(kind, options) {
      for await (const batch of watchBatches(kind, options)) yield* batch;
    },
    create: async (kind, object, options = {}) => create(kind, object, options),
    update: async (kind, object, options = {}) => update('update', kind, plain(object), options),
    async patch(kind, name, patch, options = {}) {
      if (patch.type !== 'merge') throw unsupportedMediaType(['application/merge-patch+json']);
      const old = find(kind, name, options.namespace ?? '');
      const { resourceVersion: _revision, ...metadata } = old.metadata;
      const merged = mergePatched({ ...old, metadata }, patch.body) as StoredObject;
      return update('patch', kind, merged, options);
    },
    delete: async (kind, name, options = {}) => remove(kind, name, options),
  };
  return Object.assign(api, { client });
}

function keyFor(kind: { readonly apiVersion: string; readonly kind: string }, namespace: string, name: string): string {
  return `${kind.apiVersion}/${kind.kind}/${namespace}/${name}`;
}

function timeText(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

/** The same object as a record: the fake's rules do not depend on the kind. */
function plain(object: ApiObject): StoredObject {
  return object as StoredObject;
}

function asKind<T extends ApiObject>(kind: Kind<T>): Kind {
  return kind as unknown as Kind;
}

function added<T>(object: T): WatchEvent<T> {
  return { type: 'ADDED', object };
}

function endOfInitial<T extends ApiObject>(revision: number): WatchEvent<T> {
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  const object: ApiObject = { metadata: { resourceVersion: String(revision), annotations } };
  return { type: 'BOOKMARK', object: object as T };
}

type Matches = (object: StoredObject) => boolean;

function matcher(kind: Kind, { namespace, labelSelector = '', fieldSelector = '' }: ListOptions): Matches {
  const labels = parseLabelSelector(labelSelector);
  const fields = parseFieldSelector(fieldSelector);
  const read = (object: StoredObject) => (field: string) => {
    if (field === 'metadata.name') return nameOf(object);
    if (field === 'metadata.namespace') return namespaceOf(object);
    return kind.selectableFields[field]?.(object) ?? '';
  };
  return (object) =>
    (!namespace || namespaceOf(object) === namespace) &&
    matchesLabels(labels, object.metadata.labels) &&
    matchesFields(fields, read(object));
}

/** How one change looks through a selector: entering is ADDED, leaving is DELETED. */
function eventOf<T extends ApiObject>({ old, current }: LogEntry, matches: Matches): WatchEvent<T>[] {
  const before = old !== undefined && matches(old);
  const after = current !== undefined && matches(current);
  if (after) return [{ type: before ? 'MODIFIED' : 'ADDED', object: current as ApiObject as T }];
  if (!before || old === undefined) return [];
  const resourceVersion = (current ?? old).metadata.resourceVersion;
  const last: ApiObject = { ...old, metadata: { ...old.metadata, resourceVersion } };
  return [{ type: 'DELETED', object: last as T }];
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
