import { ageOf } from './duration.ts';
import type { ApiObject } from './meta/object-meta.ts';
import type { Column } from './schema.ts';

/** Printer columns that many kinds share. */

/** The name of the object. */
export const nameColumn: Column<ApiObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  doc: 'Unique within the namespace; chosen by the author or generated.',
  cell: (object) => object.metadata.name ?? '',
};

/** Time since creation. */
export const ageColumn: Column<ApiObject> = {
  name: 'Age',
  type: 'string',
  doc: 'Time since the server stored the object first.',
  cell: (object, now) => ageOf(object.metadata.creationTimestamp, now),
};

/** `a=1,b=2` in key order, or `<none>`. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(labels ?? {});
  if (entries.length === 0) return '<none>';
  return entries
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}

const shownItems = 3;

/** The first three items, and how many there are besides; '' for none. */
export function listStart(items: readonly string[]): string {
  const shown = items.slice(0, shownItems).join(',');
  return items.length > shownItems ? `${shown} + ${items.length - shownItems} more...` : shown;
}
