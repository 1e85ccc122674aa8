import { message, string } from '../declare.ts';
import type { Infer } from '../schema.ts';

/** References to other objects. */

export const ObjectReference = message(
  'core.v1.ObjectReference',
  {
    kind: string(1, { doc: 'Its kind.' }),
    namespace: string(2, { doc: 'Its namespace.' }),
    name: string(3, { doc: 'Its name.' }),
    uid: string(4, { doc: 'Its UID.' }),
    apiVersion: string(5, { doc: 'Its group and version.' }),
    resourceVersion: string(6, { doc: 'The version that is meant.' }),
    fieldPath: string(7, { doc: 'The part that is meant.' }),
  },
  { doc: 'Names an object, or a part of it.', atomic: true },
);
export type ObjectReference = Infer<typeof ObjectReference>;

export const LocalObjectReference = message(
  'core.v1.LocalObjectReference',
  {
    name: string(1, { doc: 'Its name.', default: '' }),
  },
  { doc: 'An object of the same namespace.', atomic: true },
);
export type LocalObjectReference = Infer<typeof LocalObjectReference>;

export const TypedLocalObjectReference = message(
  'core.v1.TypedLocalObjectReference',
  {
    apiGroup: string(1, { pointer: true }),
    kind: string(2, { required: true }),
    name: string(3, { required: true }),
  },
  { doc: 'An object of any kind in the same namespace.', atomic: true },
);
export type TypedLocalObjectReference = Infer<typeof TypedLocalObjectReference>;

export const TypedObjectReference = message(
  'core.v1.TypedObjectReference',
  {
    apiGroup: string(1, { pointer: true }),
    kind: string(2, { required: true }),
    name: string(3, { required: true }),
    namespace: string(4, { pointer: true }),
  },
  { doc: 'An object of any kind.' },
);
export type TypedObjectReference = Infer<typeof TypedObjectReference>;
