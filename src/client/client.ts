import type { Kind } from '../api/schema.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';

/**
 * How components read and write objects: the Kubernetes API over a transport (HTTPS with a kubeconfig, or straight into
 * the API server of the same process). Every failure is an `ApiError` with the server's `Status`, or a
 * `TransportError` when no answer came.
 */
export interface Client {
  get<T extends ApiObject>(kind: Kind<T>, name: string, options?: GetOptions): Promise<T>;
  list<T extends ApiObject>(kind: Kind<T>, options?: ListOptions): Promise<ObjectList<T>>;
  /** Events until the server ends the stream or the signal aborts. An ERROR event is thrown as `ApiError`. */
  watch<T extends ApiObject>(kind: Kind<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** The same events in the groups in which they arrived: what a cache wants. No group is empty. */
  watchBatches<T extends ApiObject>(kind: Kind<T>, options: WatchOptions): AsyncIterable<readonly WatchEvent<T>[]>;
  create<T extends ApiObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  /** Replace; `object.metadata.resourceVersion` set means compare-and-swap. */
  update<T extends ApiObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends ApiObject>(kind: Kind<T>, name: string, patch: Patch, options?: PatchOptions): Promise<T>;
  /** The object as it is being deleted, when it is not gone yet (finalizers, grace); undefined when it is gone. */
  delete<T extends ApiObject>(kind: Kind<T>, name: string, options?: DeleteOptions): Promise<T | undefined>;
  /** Anything else: discovery, logs, subresources of other kinds. */
  readonly transport: Transport;
}

/** No answer came: the server is not there, the connection broke, or the request was aborted (`aborted`). */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly aborted: boolean;
  constructor(message: string, options: { readonly cause?: unknown; readonly aborted?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.aborted = options.aborted ?? false;
  }
}

export interface GetOptions {
  /** Of a namespaced object; writes take the object's own namespace when this is unset. */
  readonly namespace?: string;
  readonly subresource?: string;
}

export interface ListOptions {
  /** All namespaces when unset. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  /** Asks for the objects' metadata alone; a server that cannot gives all of them. Not for watches. */
  readonly metadataOnly?: boolean;
  readonly signal?: AbortSignal;
}

export interface WatchOptions extends Omit<ListOptions, 'limit' | 'continue'> {
  readonly signal: AbortSignal;
  /** Streaming list (KEP-3157): the current objects first, then a bookmark annotated `k8s.io/initial-events-end`. */
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
}

export interface WriteOptions extends GetOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
}

export interface Patch {
  readonly type: 'json' | 'merge' | 'strategic' | 'apply';
  readonly body: unknown;
}

export interface PatchOptions extends WriteOptions {
  /** Take over fields that another manager owns (`apply` only). */
  readonly force?: boolean;
}

export interface DeleteOptions {
  readonly namespace?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export interface ObjectList<T> {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly T[];
}

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  /** For a BOOKMARK only `metadata.resourceVersion` and annotations are set. */
  readonly object: T;
}

/** One HTTP exchange, whatever carries it. */
export interface Transport extends AsyncDisposable {
  request(request: TransportRequest): Promise<TransportResponse>;
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with query, starting with `/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly signal?: AbortSignal;
}

export interface TransportResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}
