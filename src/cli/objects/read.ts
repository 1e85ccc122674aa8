import { ApiError } from '../../api/errors.ts';
import type { Status } from '../../api/meta/status.ts';
import type { Transport } from '../../client/client.ts';
import { collectionPath, objectPath } from '../../client/paths.ts';
import { readLines } from '../../client/read-body.ts';
import type { ResourceType } from './resource-types.ts';
import { requestJson, requestOk } from './rest.ts';
import type { AnyObject } from './rest.ts';
import { acceptTable } from './server-table.ts';
import type { ServerTable, TableRow } from './server-table.ts';

/** Which objects of a type are read. */
export interface Selection {
  readonly type: ResourceType;
  /** Undefined: of every namespace. */
  readonly namespace: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

const pageSize = 500;

/** One object. Throws `ApiError` when it is not there. */
export async function readObject<T extends AnyObject>(
  transport: Transport,
  type: ResourceType,
  name: string,
  namespace: string,
  signal?: AbortSignal,
): Promise<T> {
  const path = objectPath(type, name, namespace);
  return await requestJson<T>(transport, { method: 'GET', path, headers: json, signal });
}

/** Every object of a selection, page by page; `kind` and `apiVersion` are filled in, as lists leave them out. */
export async function listObjects<T extends AnyObject>(
  transport: Transport,
  selection: Selection,
  signal?: AbortSignal,
): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }> {
  const items: T[] = [];
  let page: ListPage<T> = {};
  do {
    const path = listPath(selection, { limit: pageSize, continue: page.metadata?.continue });
    page = await requestJson<ListPage<T>>(transport, { method: 'GET', path, headers: json, signal });
    items.push(...(page.items ?? []));
  } while (page.metadata?.continue);
  const { apiVersion, kind } = selection.type;
  const resourceVersion = page.metadata?.resourceVersion ?? '';
  return { items: items.map((item) => ({ ...item, apiVersion, kind })), resourceVersion };
}

/** The table of a selection; its rows carry whole objects when asked, else their metadata. */
export async function listTable(
  transport: Transport,
  selection: Selection,
  options: { readonly wholeObjects: boolean; readonly signal?: AbortSignal },
): Promise<ServerTable> {
  const rows: TableRow[] = [];
  let page: ServerTable = {};
  do {
    const includeObject = options.wholeObjects ? 'Object' : undefined;
    const path = listPath(selection, { limit: pageSize, continue: page.metadata?.continue, includeObject });
    const next = await requestJson<ServerTable>(transport, table(path, options.signal));
    page = { ...next, columnDefinitions: next.columnDefinitions ?? page.columnDefinitions };
    rows.push(...(page.rows ?? []));
  } while (page.metadata?.continue);
  return { ...page, rows };
}

/** The one-row table of one object. */
export async function readTable(
  transport: Transport,
  type: ResourceType,
  name: string,
  namespace: string,
  signal?: AbortSignal,
): Promise<ServerTable> {
  return await requestJson<ServerTable>(transport, table(objectPath(type, name, namespace), signal));
}

/** One change seen by a watch: a one-row table or an object, depending on what was asked for. */
export interface WatchedChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: unknown;
}

interface WireChange {
  readonly type: WatchedChange['type'] | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
}

/** Changes after `resourceVersion`, until the server or the signal ends it. Throws `ApiError` for the server's ERROR. */
export async function* watchChanges(
  transport: Transport,
  selection: Selection,
  options: { readonly resourceVersion: string; readonly accept: string; readonly signal: AbortSignal },
): AsyncGenerator<WatchedChange> {
  const { accept, signal, resourceVersion } = options;
  const path = listPath(selection, { watch: 'true', resourceVersion });
  try {
    const response = await requestOk(transport, { method: 'GET', path, headers: { accept }, signal });
    for await (const lines of readLines(response.body)) {
      for (const line of lines) yield* realChange(JSON.parse(line) as WireChange);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function realChange({ type, object }: WireChange): WatchedChange[] {
  if (type === 'ERROR') throw new ApiError(object as Status);
  return type === 'BOOKMARK' ? [] : [{ type, object }];
}

interface ListPage<T> {
  readonly items?: readonly T[];
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string };
}

const json = { accept: 'application/json' };

function table(path: string, signal: AbortSignal | undefined) {
  return { method: 'GET', path, headers: { accept: acceptTable }, signal } as const;
}

function listPath(selection: Selection, more: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  const { labelSelector, fieldSelector } = selection;
  for (const [name, value] of Object.entries({ labelSelector, fieldSelector, ...more })) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  const path = collectionPath(selection.type, selection.namespace);
  return query.size === 0 ? path : `${path}?${query}`;
}
