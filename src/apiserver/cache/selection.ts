import type { ApiObject } from '../../api/meta/object-meta.ts';
import { badRequest } from '../../api/errors.ts';
import type { Kind } from '../../api/schema.ts';
import type { FieldRequirement, Selector } from '../../api/selector.ts';
import { matchesFields, matchesLabels, parseFieldSelector, parseLabelSelector } from '../../api/selector.ts';
import type { Item } from './item.ts';
import { presented } from './item.ts';

/** Which objects of a resource a client asks for. */
export interface Selection {
  /** Undefined for all namespaces. */
  readonly namespace: string | undefined;
  readonly labels: Selector;
  readonly fields: readonly FieldRequirement[];
  readonly get: (object: ApiObject, field: string) => string;
}

const metadataFields: ReadonlySet<string> = new Set(['metadata.name', 'metadata.namespace']);

/** Reads the selectors. Throws `ApiError` 400 for syntax and for fields that the kind cannot be selected by. */
export function parseSelection(
  kind: Kind,
  namespace: string | undefined,
  name: string | undefined,
  query: URLSearchParams,
): Selection {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = [...parseFieldSelector(query.get('fieldSelector') ?? '')];
  if (name !== undefined) fields.push({ field: 'metadata.name', value: name, equal: true });
  for (const { field } of fields) {
    if (!metadataFields.has(field) && kind.selectableFields[field] === undefined) {
      throw badRequest(`field label not supported: ${field}`);
    }
  }
  const get = (object: ApiObject, field: string) => kind.selectableFields[field]?.(presented(kind, object)) ?? '';
  return { namespace, labels, fields, get };
}

/** Does the selection look beyond the key? Then counting what remains would mean reading it all. */
export function hasSelectors(selection: Selection): boolean {
  return selection.labels.length > 0 || selection.fields.length > 0;
}

/** The single name that a selection can match, if it names one. */
export function selectedName(selection: Selection): string | undefined {
  return selection.fields.find(({ field, equal }) => field === 'metadata.name' && equal)?.value;
}

/** A predicate over cached items that parses an object only when its key does not decide. */
export function matcherOf(selection: Selection): (item: Item) => boolean {
  const { namespace, labels } = selection;
  const byKey = selection.fields.filter(({ field }) => metadataFields.has(field));
  const byObject = selection.fields.filter(({ field }) => !metadataFields.has(field));
  const looksInside = labels.length > 0 || byObject.length > 0;
  return (item) => {
    if (namespace !== undefined && item.namespace !== namespace) return false;
    if (byKey.length > 0 && !matchesFields(byKey, (field) => (field === 'metadata.name' ? item.name : item.namespace)))
      return false;
    if (!looksInside) return true;
    const object = item.object;
    return (
      matchesLabels(labels, object.metadata.labels) && matchesFields(byObject, (field) => selection.get(object, field))
    );
  };
}
