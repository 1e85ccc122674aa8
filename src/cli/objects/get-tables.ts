import { isNotFound } from '../../api/errors.ts';
import type { Target } from './arguments.ts';
import { alignRows } from './columns.ts';
import { selectionOf } from './get-request.ts';
import type { GetRequest } from './get-request.ts';
import { objectLabel } from './print.ts';
import { listTable, readTable, watchChanges } from './read.ts';
import type { Selection } from './read.ts';
import type { ResourceType } from './resource-types.ts';
import { acceptTable, headerCells, rowCells } from './server-table.ts';
import type { ServerTable, TableColumn, TableView } from './server-table.ts';
import { compareValues, fieldReader } from './sort-by.ts';

/** Prints tables, one per type, as the server makes them; then the changes when watching. */
export async function showTables(request: GetRequest): Promise<void> {
  const { context } = request;
  const groups = Map.groupBy(request.targets, (target) => target.type);
  let printed = 0;
  for (const [type, targets] of groups) {
    const { table, selection } = await readGroup(request, type, targets);
    const view = viewOf(request, type, groups.size > 1);
    const widths: number[] = [];
    if ((table.rows ?? []).length > 0) {
      if (printed++ > 0) context.stdout.write('\n');
      writeLines(request, tableRows(request, table, view), widths);
    }
    if (context.options.watch) await followTable(request, selection, table, view, widths);
  }
  if (printed === 0 && !context.options.watch && !named(request)) context.stderr.write(`${nothingFound(request)}\n`);
}

function named(request: GetRequest): boolean {
  return request.targets.some((target) => target.name !== undefined);
}

function nothingFound({ namespace }: GetRequest): string {
  return namespace === undefined ? 'No resources found.' : `No resources found in namespace ${namespace}.`;
}

function viewOf({ namespace, context }: GetRequest, type: ResourceType, several: boolean): TableView {
  return {
    wide: context.options.output === 'wide',
    withNamespace: namespace === undefined && type.namespaced,
    withLabels: context.options['show-labels'],
    namePrefix: several ? objectLabel(type, '') : '',
  };
}

async function readGroup(
  request: GetRequest,
  type: ResourceType,
  targets: readonly Target[],
): Promise<{ table: ServerTable; selection: Selection }> {
  const { transport, context } = request;
  const { options, signal } = context;
  const selection = selectionOf(request, type);
  const names = targets.flatMap((target) => target.name ?? []);
  if (names.length === 0) {
    const wholeObjects = options['sort-by'] !== undefined;
    return { table: await listTable(transport, selection, { wholeObjects, signal }), selection };
  }
  if (options.watch && names.length === 1) {
    const only = selectionOf(request, type, names[0]);
    const table = await listTable(transport, only, { wholeObjects: false, signal });
    if ((table.rows ?? []).length === 0) await readNamed(request, type, names);
    return { table, selection: only };
  }
  return { table: await readNamed(request, type, names), selection };
}

async function readNamed(request: GetRequest, type: ResourceType, names: readonly string[]): Promise<ServerTable> {
  const { transport, namespace = '', context } = request;
  const tables: ServerTable[] = [];
  for (const name of names) {
    const table = await readTable(transport, type, name, namespace, context.signal).catch((error: unknown) => {
      if (context.options['ignore-not-found'] && isNotFound(error)) return undefined;
      throw error;
    });
    if (table !== undefined) tables.push(table);
  }
  return { ...tables[0], rows: tables.flatMap((table) => table.rows ?? []) };
}

function tableRows({ context }: GetRequest, table: ServerTable, view: TableView): string[][] {
  const columns = table.columnDefinitions ?? [];
  const { 'sort-by': path, 'no-headers': noHeaders } = context.options;
  const read = path === undefined ? undefined : fieldReader(path);
  const rows = [...(table.rows ?? [])];
  if (read !== undefined) rows.sort((a, b) => compareValues(read(a.object), read(b.object)));
  return [...(noHeaders ? [] : [headerCells(columns, view)]), ...rows.map((row) => rowCells(columns, row, view))];
}

function writeLines({ context }: GetRequest, rows: readonly (readonly string[])[], widths: number[]): void {
  for (const line of alignRows(rows, widths)) context.stdout.write(`${line}\n`);
}

async function followTable(
  request: GetRequest,
  selection: Selection,
  listed: ServerTable,
  view: TableView,
  widths: number[],
): Promise<void> {
  const { transport, context } = request;
  let columns = listed.columnDefinitions ?? [];
  let withHeading = (listed.rows ?? []).length === 0;
  const watch = {
    resourceVersion: listed.metadata?.resourceVersion ?? '',
    accept: acceptTable,
    signal: context.signal,
  };
  for await (const change of watchChanges(transport, selection, watch)) {
    const table = change.object as ServerTable;
    columns = newest(columns, table.columnDefinitions);
    const rows = withHeading ? tableRows(request, { ...table, columnDefinitions: columns }, view) : [];
    if (!withHeading) rows.push(...(table.rows ?? []).map((row) => rowCells(columns, row, view)));
    writeLines(request, rows, widths);
    withHeading = false;
  }
}

/** Only the first table of a watch has to name its columns. */
function newest(
  known: readonly TableColumn[],
  given: readonly TableColumn[] | null | undefined,
): readonly TableColumn[] {
  return given === undefined || given === null || given.length === 0 ? known : given;
}
