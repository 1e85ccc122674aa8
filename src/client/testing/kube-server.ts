import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import type { Kind } from '../../api/schema.ts';
import { matchesFields, matchesLabels, parseFieldSelector, parseLabelSelector } from '../../api/selector.ts';
import { collectionPath } from '../paths.ts';

/** How a server treats a streaming list (KEP-3157): does it, says 422 (1.27-1.31 without the gate), or passes it over. */
export type StreamingLists = 'served' | 'refused' | 'ignored';

export interface KubeServerOptions {
  readonly streamingLists: StreamingLists;
  /** Waits this long between the parts of a list or of the first events of a watch. */
  readonly pauseMs?: number;
}

/** One request that came in. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

/**
 * An HTTP server that lists and watches as kube-apiserver does, in JSON, of objects that are put into it: pages with
 * `limit` and `continue`, watches from a revision, bookmarks, streaming lists, 410 for history that is gone. Objects in
 * lists carry no kind, as the real one's do not. It stores nothing else, and answers 201 to events.
 */
export interface KubeServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  put<T extends ApiObject>(kind: Kind<T>, object: T): void;
  remove<T extends ApiObject>(kind: Kind<T>, name: string, namespace?: string): void;
  /** Ends every open watch in the middle of things, as a lost connection does. */
  disconnect(): void;
  /** The next change is stored, and no watch hears of it. */
  loseNext(): void;
  /** What is stored. */
  save(): SavedStore;
  /** Puts that back, at its revision or a newer one, under open watches, which hear nothing of it: a restored store. */
  restore(saved: SavedStore, revision?: number): void;
  /** Forgets what happened so far: older revisions get 410. */
  compact(): void;
  /** Events that were posted. */
  readonly events: readonly unknown[];
}

/** The store of a server at a time. */
export interface SavedStore {
  readonly revision: number;
  readonly collections: ReadonlyMap<string, Collection>;
}

interface LogEntry {
  readonly revision: number;
  readonly path: string;
  readonly old: ApiObject | undefined;
  readonly current: ApiObject | undefined;
}

interface Collection {
  readonly kind: Pick<Kind, 'kind' | 'apiVersion'>;
  readonly objects: Map<string, ApiObject>;
}

type Matches = (object: ApiObject) => boolean;

export async function startKubeServer(options: KubeServerOptions): Promise<KubeServer> {
  const state = new ServerState(options);
  const server = createServer((request, response) => void state.answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return Object.assign(state, {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  });
}

class ServerState {
  readonly requests: SeenRequest[] = [];
  readonly events: unknown[] = [];
  readonly #options: KubeServerOptions;
  readonly #collections = new Map<string, Collection>();
  readonly #log: LogEntry[] = [];
  readonly #watches = new Set<ServerResponse>();
  #revision = 100;
  #compacted = 0;
  #losesNext = false;
  #wake = Promise.withResolvers<void>();

  constructor(options: KubeServerOptions) {
    this.#options = options;
  }

  put<T extends ApiObject>(kind: Kind<T>, object: T): void {
    const path = collectionPath(kind, undefined);
    const collection = this.#collections.get(path) ?? { kind, objects: new Map() };
    this.#collections.set(path, collection);
    this.#commit(path, collection, keyOf(object), object);
  }

  remove<T extends ApiObject>(kind: Kind<T>, name: string, namespace = ''): void {
    const path = collectionPath(kind, undefined);
    const collection = this.#collections.get(path);
    if (collection !== undefined) this.#commit(path, collection, `${namespace}/${name}`, undefined);
  }

  disconnect(): void {
    for (const response of this.#watches) response.destroy();
  }

  loseNext(): void {
    this.#losesNext = true;
  }

  save(): SavedStore {
    const copy = ({ kind, objects }: Collection): Collection => ({ kind, objects: new Map(objects) });
    return {
      revision: this.#revision,
      collections: new Map(Array.from(this.#collections, ([path, each]) => [path, copy(each)])),
    };
  }

  restore({ revision, collections }: SavedStore, to = revision): void {
    for (const [path, { objects }] of this.#collections) {
      objects.clear();
      for (const [key, object] of collections.get(path)?.objects ?? []) objects.set(key, object);
    }
    this.#log.length = 0;
    this.#revision = to;
  }

  compact(): void {
    this.#compacted = this.#revision;
  }

  #commit(path: string, collection: Collection, key: string, object: ApiObject | undefined): void {
    this.#revision += 1;
    const old = collection.objects.get(key);
    const resourceVersion = String(this.#revision);
    const current = object && { ...object, metadata: { uid: `uid-${key}`, ...object.metadata, resourceVersion } };
    if (current === undefined) collection.objects.delete(key);
    else collection.objects.set(key, current);
    const last = current ?? (old && { ...old, metadata: { ...old.metadata, resourceVersion } });
    if (this.#losesNext) {
      this.#losesNext = false;
      return;
    }
    this.#log.push({ revision: this.#revision, path, old: current === undefined ? last : old, current });
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '', 'http://server');
    this.requests.push({ method: request.method ?? '', path, query });
    if (request.method === 'POST') return this.#takeEvent(request, response);
    const collection = this.#collections.get(path) ?? { kind: { kind: 'Node', apiVersion: 'v1' }, objects: new Map() };
    const matches = matcher(query);
    if (!query.has('watch')) return this.#list(query, response, collection, matches);
    const streams = query.get('sendInitialEvents') === 'true';
    if (streams && this.#options.streamingLists === 'refused') {
      return fail(response, 422, 'Invalid', 'sendInitialEvents: Forbidden: the WatchList feature gate is off');
    }
    return this.#watch(query, response, path, collection, matches);
  }

  async #takeEvent(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const event: unknown = JSON.parse(Buffer.concat(chunks).toString());
    this.events.push(event);
    response.writeHead(201, { 'Content-Type': 'application/json' }).end(JSON.stringify(event));
  }

  /** A page; the continue token carries where it goes on and the revision of the first page. */
  async #list(query: URLSearchParams, response: ServerResponse, { kind, objects }: Collection, matches: Matches) {
    const [from = 0, revision = this.#revision] = (query.get('continue') ?? '').split('.').filter(Boolean).map(Number);
    if (query.has('continue') && revision < this.#compacted) {
      return fail(response, 410, 'Expired', 'The provided continue parameter is too old');
    }
    await this.#pause();
    const all = [...objects.values()].filter(matches);
    const page = all.slice(from, from + Number(query.get('limit') ?? all.length));
    const next = from + page.length;
    const more = next < all.length ? { continue: `${next}.${revision}`, remainingItemCount: all.length - next } : {};
    const items = page.map((object) => ({ ...object, kind: undefined, apiVersion: undefined }));
    const { apiVersion } = kind;
    const metadata = { resourceVersion: String(revision), ...more };
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ kind: `${kind.kind}List`, apiVersion, metadata, items }));
  }

  async #watch(
    query: URLSearchParams,
    response: ServerResponse,
    path: string,
    collection: Collection,
    matches: Matches,
  ): Promise<void> {
    let from = Number(query.get('resourceVersion') ?? 0);
    if (from !== 0 && from < this.#compacted) {
      return fail(response, 410, 'Expired', `too old resource version: ${from} (${this.#compacted})`);
    }
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
    this.#watches.add(response);
    response.on('close', () => this.#watches.delete(response));
    if (from === 0) from = await this.#sendInitial(query, response, collection, matches);
    const closed = once(response, 'close').catch(() => undefined);
    while (!response.destroyed) {
      const next = this.#wake.promise;
      const upTo = this.#revision;
      for (const entry of this.#log) {
        if (entry.revision > from && entry.path === path) sendEntry(response, collection, entry, matches);
      }
      from = upTo;
      await Promise.race([next, closed]);
    }
  }

  /** What is there as events; then, on a streaming list alone, the bookmark that ends it. */
  async #sendInitial(query: URLSearchParams, response: ServerResponse, collection: Collection, matches: Matches) {
    const revision = this.#revision;
    for (const [index, object] of [...collection.objects.values()].filter(matches).entries()) {
      if (index % 500 === 0) await this.#pause();
      send(response, 'ADDED', withKind(collection, object));
    }
    if (query.get('sendInitialEvents') === 'true' && this.#options.streamingLists === 'served') {
      const annotations = { 'k8s.io/initial-events-end': 'true' };
      const metadata = { resourceVersion: String(revision), creationTimestamp: null, annotations };
      send(response, 'BOOKMARK', { ...collection.kind, metadata });
    }
    return revision;
  }

  #pause(): Promise<void> {
    const { pauseMs = 0 } = this.#options;
    return pauseMs === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

function keyOf({ metadata }: ApiObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

function withKind({ kind }: Collection, object: ApiObject): unknown {
  return { kind: kind.kind, apiVersion: kind.apiVersion, ...object };
}

function send(response: ServerResponse, type: string, object: unknown): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

/** How one change looks through a selector: entering is ADDED, leaving is DELETED. */
function sendEntry(
  response: ServerResponse,
  collection: Collection,
  { old, current }: LogEntry,
  matches: Matches,
): void {
  const before = old !== undefined && matches(old);
  const after = current !== undefined && matches(current);
  if (after) send(response, before ? 'MODIFIED' : 'ADDED', withKind(collection, current));
  else if (before) send(response, 'DELETED', withKind(collection, old));
}

function matcher(query: URLSearchParams): Matches {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '');
  return (object) =>
    matchesLabels(labels, object.metadata.labels) &&
    matchesFields(fields, (field) => (field === 'metadata.name' ? (object.metadata.name ?? '') : ''));
}

function fail(response: ServerResponse, code: number, reason: string, message: string): void {
  response.writeHead(code, { 'Content-Type': 'application/json' });
  response.end(
    JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message }),
  );
}
