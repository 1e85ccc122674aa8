import { ageColumn, nameColumn } from './columns.ts';
import type { ListMeta } from './meta/list-meta.ts';
import type { ApiObject } from './meta/object-meta.ts';
import type { Column, Kind } from './schema.ts';

/** Objects as tables and as bare metadata: what `kubectl get` and metadata clients ask for instead of the objects. */

/** How much of each object a table's rows carry. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** Both versions of the table format have the same shape. */
export type MetaVersion = 'v1' | 'v1beta1';

/** The header of a column, as the client gets it. */
export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

/** One object as a row. */
export interface TableRow {
  readonly cells: readonly unknown[];
  readonly object?: unknown;
}

/** metav1.Table. */
export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: string;
  readonly metadata: ListMeta;
  readonly columnDefinitions: readonly TableColumn[];
  readonly rows: readonly TableRow[];
}

/** metav1.PartialObjectMetadata. */
export interface PartialObject extends ApiObject {
  readonly kind: 'PartialObjectMetadata';
  readonly apiVersion: string;
}

const plainColumns: readonly Column<ApiObject>[] = [nameColumn, ageColumn];

function columnsOf<T extends ApiObject>(kind: Kind<T>): readonly Column<T>[] {
  return kind.columns.length === 0 ? plainColumns : kind.columns;
}

/** The header of a kind's tables. */
export function tableColumns<T extends ApiObject>(kind: Kind<T>): readonly TableColumn[] {
  return columnsOf(kind).map((column) => ({
    name: column.name,
    type: column.type,
    format: column.format ?? '',
    description: column.doc ?? column.name,
    priority: column.priority ?? 0,
  }));
}

/** The metadata of an object alone. */
export function partialObject(object: ApiObject, version: MetaVersion = 'v1'): PartialObject {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}

function carried(object: ApiObject, include: IncludeObject, version: MetaVersion): unknown {
  if (include === 'None') return undefined;
  return include === 'Object' ? object : partialObject(object, version);
}

/** How a table is made. */
export interface TableOptions {
  /** Milliseconds since the epoch; ages count from it. */
  readonly now: number;
  readonly include?: IncludeObject;
  readonly version?: MetaVersion;
  /** Resource version, continue token and remaining count of a list. */
  readonly metadata?: ListMeta;
}

/** The table of some objects of a kind. */
export function toTable<T extends ApiObject>(kind: Kind<T>, objects: readonly T[], options: TableOptions): Table {
  const { now, include = 'Metadata', version = 'v1', metadata = {} } = options;
  const columns = columnsOf(kind);
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: tableColumns(kind),
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, now)),
      object: carried(object, include, version),
    })),
  };
}
