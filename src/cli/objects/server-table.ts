import type { AnyObject } from './rest.ts';

/** `meta.k8s.io/v1` Table: how the server itself would print a list. */
export interface ServerTable {
  readonly kind?: string;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  /** Null in every table of a watch but the first. */
  readonly columnDefinitions?: readonly TableColumn[] | null;
  readonly rows?: readonly TableRow[];
}

export interface TableColumn {
  readonly name: string;
  readonly type?: string;
  /** 0 is always shown, more only with `-o wide`. */
  readonly priority?: number;
}

export interface TableRow {
  readonly cells: readonly unknown[];
  readonly object?: AnyObject;
}

/** The Accept header that asks for a Table, and for the object as JSON from a server that has no tables. */
export const acceptTable = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

/** What of a table is shown. */
export interface TableView {
  readonly wide: boolean;
  /** A first column with the namespace. */
  readonly withNamespace: boolean;
  /** A last column with the labels. */
  readonly withLabels: boolean;
  /** Put before names when several types are shown: `service/`. */
  readonly namePrefix: string;
}

/** The heading of a table, in capitals. */
export function headerCells(columns: readonly TableColumn[], view: TableView): string[] {
  const names = shown(columns, view).map(({ column }) => column.name.toUpperCase());
  return [...(view.withNamespace ? ['NAMESPACE'] : []), ...names, ...(view.withLabels ? ['LABELS'] : [])];
}

/** One row of a table as text. */
export function rowCells(columns: readonly TableColumn[], row: TableRow, view: TableView): string[] {
  const cells = shown(columns, view).map(({ index }) => cellText(row.cells[index]));
  if (view.namePrefix !== '' && cells[0] !== undefined) cells[0] = view.namePrefix + cells[0];
  const namespace = view.withNamespace ? [row.object?.metadata.namespace ?? ''] : [];
  return [...namespace, ...cells, ...(view.withLabels ? [labelsText(row.object?.metadata.labels)] : [])];
}

function shown(columns: readonly TableColumn[], view: TableView): { column: TableColumn; index: number }[] {
  return columns
    .map((column, index) => ({ column, index }))
    .filter(({ column }) => view.wide || (column.priority ?? 0) === 0);
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined || cell === '') return '';
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell).replaceAll('\n', ' ');
}

/** `a=1,b=2`, or `<none>`. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? '<none>' : pairs.sort().join(',');
}
