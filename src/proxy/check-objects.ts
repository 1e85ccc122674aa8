import { conformObject, hasTypes } from '../api/conform.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import { errorText } from '../observe/log.ts';

/**
 * The object, when all of its fields have the types that they must have; else what is wrong, as a sentence. No API server
 * sends others; but one would bring down more than the Service it is about. `null` where nothing is needed is taken out.
 */
export function typeChecked<T extends ApiObject>(kind: Kind<T>, object: T): T | string {
  if (hasTypes(kind.message, object)) return object;
  try {
    return conformObject(kind, object).value;
  } catch (error) {
    return `${kind.kind} ${object.metadata.name}: ${errorText(error)}`;
  }
}
