import type { Output } from '../command.ts';
import type { AnyObject } from './rest.ts';
import { typeLabel } from './resource-types.ts';
import type { ResourceType } from './resource-types.ts';

/** The forms in which objects, not tables, are printed. */
export type ObjectFormat = 'json' | 'yaml' | 'name';

/** `-o` of every command that prints objects. */
export const outputChoices = ['json', 'yaml', 'wide', 'name'] as const;

/** Whether `-o` asks for objects. */
export function isObjectFormat(format: string | undefined): format is ObjectFormat {
  return format === 'json' || format === 'yaml' || format === 'name';
}

/** `service/hello`, `deployment.apps/web`. */
export function objectLabel(type: Pick<ResourceType, 'group' | 'singular'>, name: string): string {
  return `${typeLabel(type)}/${name}`;
}

/** Managed fields are bookkeeping of server-side apply; people rarely want to read them. */
export function withoutManagedFields(object: AnyObject): AnyObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** One JSON or YAML document, fields in order of their names, with its line end. */
export async function formatDocument(document: unknown, format: 'json' | 'yaml'): Promise<string> {
  const ordered = withSortedKeys(document);
  if (format === 'json') return `${JSON.stringify(ordered, undefined, 4)}\n`;
  const { stringify } = await import('yaml');
  // YAML 1.1 quotes what its readers, Kubernetes tools among them, would take for booleans, dates and base-60 numbers.
  return stringify(ordered, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false, indentSeq: false });
}

function withSortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, withSortedKeys(inner)]));
}

/** Several objects as one `List`. */
export function asList(items: readonly AnyObject[]): unknown {
  return { apiVersion: 'v1', items, kind: 'List', metadata: { resourceVersion: '' } };
}

/** Prints one object in the asked form; in a stream of YAML documents, `more` starts a new one. */
export async function printObject(
  output: Output,
  type: ResourceType,
  object: AnyObject,
  format: ObjectFormat,
  more = false,
): Promise<void> {
  if (format === 'name') output.write(`${objectLabel(type, object.metadata.name ?? '')}\n`);
  else output.write((more && format === 'yaml' ? '---\n' : '') + (await formatDocument(object, format)));
}
