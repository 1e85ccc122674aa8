import { badRequest } from './errors.ts';
import type { ApiObject } from './meta/object-meta.ts';
import type { FieldGetter, Kind } from './schema.ts';
import type { FieldRequirement } from './selector.ts';

/** Field selectors applied to a kind: which fields it offers, and whether an object satisfies a selector. */

function getterOf<T extends ApiObject>(kind: Kind<T>, field: string): FieldGetter<T> {
  if (field === 'metadata.name') return (object) => object.metadata.name ?? '';
  if (field === 'metadata.namespace' && kind.namespaced) return (object) => object.metadata.namespace ?? '';
  const getter = Object.hasOwn(kind.selectableFields, field) ? kind.selectableFields[field] : undefined;
  if (getter === undefined) throw badRequest(`field label not supported: ${field}`);
  return getter;
}

/** A predicate for the requirements. Throws `ApiError` 400 when the kind does not offer a field. */
export function fieldMatcher<T extends ApiObject>(
  kind: Kind<T>,
  requirements: readonly FieldRequirement[],
): (object: T) => boolean {
  const tests = requirements.map(({ field, value, equal }) => ({ get: getterOf(kind, field), value, equal }));
  return (object) => tests.every(({ get, value, equal }) => (get(object) === value) === equal);
}
