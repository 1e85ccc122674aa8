import { ApiError } from '../api/errors.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import { isJsonObject } from '../lib/json.ts';
import type { Status } from '../api/meta/status.ts';
import type { Kind } from '../api/schema.ts';
import { TransportError } from './client.ts';
import type {
  Client,
  DeleteOptions,
  ObjectList,
  Patch,
  Transport,
  TransportRequest,
  TransportResponse,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.ts';
import { collectionPath, deleteBody, listQuery, objectPath, patchQuery, watchQuery, writeQuery } from './paths.ts';
import { readLines, readText } from './read-body.ts';

export interface ClientOptions {
  /** Who writes, for `managedFields`; a write's own `fieldManager` wins. */
  readonly fieldManager?: string;
  /** Sent as `User-Agent`. */
  readonly userAgent?: string;
}

const metadataTypes = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const satisfies Record<Patch['type'], string>;

/** The Kubernetes API over `transport`. Lists and watches carry `apiVersion` and `kind` on every object. */
export function createClient(transport: Transport, options: ClientOptions = {}): Client {
  const { userAgent, fieldManager } = options;
  const base = { accept: 'application/json', ...(userAgent === undefined ? {} : { 'user-agent': userAgent }) };
  const jsonHeaders = { ...base, 'content-type': 'application/json' };

  async function call<T>(request: TransportRequest): Promise<T> {
    const response = await transport.request({ headers: base, ...request });
    const text = await readText(response.body);
    if (response.status >= 400) throw failure(request, response.status, text);
    return parseAs<T>(request, text);
  }

  function write<T extends ApiObject>(method: 'POST' | 'PUT', path: string, object: T, write: WriteOptions) {
    const query = writeQuery({ fieldManager, ...write });
    return call<T>({ method, path: path + query, headers: jsonHeaders, body: JSON.stringify(object) });
  }

  async function* watchBatches<T extends ApiObject>(kind: Kind<T>, watch: WatchOptions) {
    const path = collectionPath(kind, watch.namespace) + watchQuery(watch);
    const request: TransportRequest = { method: 'GET', path, headers: base, signal: watch.signal };
    const response = await openStream(transport, request);
    if (response === undefined) return;
    if (response.status >= 400) throw failure(request, response.status, await readText(response.body));
    yield* readEvents<T>(kind, request, response);
  }

  return {
    transport,
    get: (kind, name, { namespace, subresource } = {}) =>
      call({ method: 'GET', path: objectPath(kind, name, namespace, subresource) }),
    list: async (kind, list = {}) => {
      const path = collectionPath(kind, list.namespace) + listQuery(list);
      const headers = list.metadataOnly === true ? { ...base, accept: metadataTypes } : base;
      return withTypes(kind, await call({ method: 'GET', path, headers, signal: list.signal }));
    },
    watchBatches,
    async *watch(kind, watch) {
      for await (const batch of watchBatches(kind, watch)) yield* batch;
    },
    create: (kind, object, options = {}) => {
      const path = creationPath(kind, object, options);
      return write('POST', path, typed(kind, object), options);
    },
    update: (kind, object, options = {}) => {
      const { name = '', namespace } = object.metadata;
      const path = objectPath(kind, name, options.namespace ?? namespace, options.subresource);
      return write('PUT', path, typed(kind, object), options);
    },
    patch: (kind, name, patch, options = {}) => {
      const path = objectPath(kind, name, options.namespace, options.subresource);
      const headers = { ...base, 'content-type': patchTypes[patch.type] };
      const query = patchQuery({ fieldManager, ...options });
      return call({ method: 'PATCH', path: path + query, headers, body: JSON.stringify(patch.body) });
    },
    delete: async (kind, name, options = {}) => {
      const path = objectPath(kind, name, options.namespace);
      const body = deleteBody(options);
      const headers = body === undefined ? base : jsonHeaders;
      return stillThere(kind, options, await call({ method: 'DELETE', path, headers, body }));
    },
  };
}

/** Creating a subresource (eviction, token) names its object; creating an object posts to the collection. */
function creationPath(kind: Kind, object: ApiObject, options: WriteOptions): string {
  const namespace = options.namespace ?? object.metadata.namespace;
  if (options.subresource) return objectPath(kind, object.metadata.name ?? '', namespace, options.subresource);
  if (kind.namespaced && !namespace) throw new TypeError(`creating a ${kind.kind}: a namespace is required`);
  return collectionPath(kind, namespace);
}

/** The object with its kind; one that already names a kind keeps it (subresources of other kinds). */
function typed<T extends ApiObject>(kind: Kind<T>, object: T): T {
  return object.kind && object.apiVersion ? object : { ...object, apiVersion: kind.apiVersion, kind: kind.kind };
}

function withTypes<T extends ApiObject>(kind: Kind<T>, list: ObjectList<T>): ObjectList<T> {
  return { ...list, items: (list.items ?? []).map((item) => typed(kind, item)) };
}

/**
 * A DELETE answers a `Status` when the object is gone. Some kinds answer the last object then: without a deletion time, or
 * (a Pod that was leaving and is deleted with no grace) without anything left that could hold it.
 */
function stillThere<T extends ApiObject>(kind: Kind<T>, { gracePeriodSeconds }: DeleteOptions, answer: T) {
  if (answer.kind !== kind.kind) return undefined;
  const { deletionTimestamp, finalizers = [] } = answer.metadata;
  const isHeld = gracePeriodSeconds !== 0 || finalizers.length > 0;
  return deletionTimestamp !== undefined && isHeld ? answer : undefined;
}

/** The stream, or undefined when the caller aborted before it opened. */
async function openStream(transport: Transport, request: TransportRequest): Promise<TransportResponse | undefined> {
  try {
    return await transport.request(request);
  } catch (error) {
    if (request.signal?.aborted) return undefined;
    throw error;
  }
}

async function* readEvents<T extends ApiObject>(kind: Kind<T>, request: TransportRequest, response: TransportResponse) {
  try {
    for await (const lines of readLines(response.body)) {
      yield lines.map((line) => parseEvent<T>(kind, request, line));
    }
  } catch (error) {
    if (!request.signal?.aborted) throw error;
  }
}

interface WireEvent<T> {
  readonly type: WatchEvent<T>['type'] | 'ERROR';
  readonly object: T;
}

function parseEvent<T extends ApiObject>(kind: Kind<T>, request: TransportRequest, line: string): WatchEvent<T> {
  const event = parseAs<WireEvent<T> | null>(request, line);
  if (!isEvent(event)) throw new TransportError(`${request.method} ${request.path}: a line of the watch is no event`);
  const { type, object } = event;
  if (type === 'ERROR') throw failure(request, 500, JSON.stringify(object ?? null));
  return { type, object: typed(kind, object) };
}

const eventTypes: readonly string[] = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'];

/** Its object is trusted to be of the kind that was asked for, as far as it has metadata. */
function isEvent<T extends ApiObject>(event: WireEvent<T> | null): event is WireEvent<T> {
  if (event?.type === 'ERROR') return true;
  return event !== null && eventTypes.includes(event.type) && isJsonObject(event.object?.metadata);
}

/** What the server said, trusted to be of the kind that was asked for. */
function parseAs<T>(request: TransportRequest, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new TransportError(`${request.method} ${request.path}: the answer is not JSON`, { cause });
  }
}

/** The server's `Status` as an error; one is made up when the answer is not a `Status` (a proxy between). */
function failure(request: TransportRequest, code: number, text: string): ApiError {
  const status = parseStatus(text);
  if (status !== undefined) return new ApiError(status);
  const message = `${request.method} ${request.path}: HTTP ${code}: ${text.slice(0, 200).trim()}`;
  return new ApiError({ metadata: {}, status: 'Failure', code, message });
}

function parseStatus(text: string): Status | undefined {
  try {
    const value = JSON.parse(text) as Status & { readonly kind?: string };
    return value?.kind === 'Status' ? value : undefined;
  } catch {
    return undefined;
  }
}
