import type { Infer } from '../schema.ts';
import { message, string } from '../schema.ts';

export const ObjectReference = message(
  'core.v1.ObjectReference',
  {
    kind: string(1),
    namespace: string(2),
    name: string(3),
    uid: string(4),
    apiVersion: string(5),
    resourceVersion: string(6),
    fieldPath: string(7),
  },
  { atomic: true },
);
export type ObjectReference = Infer<typeof ObjectReference>;

export const LocalObjectReference = message(
  'core.v1.LocalObjectReference',
  {
    name: string(1, { default: '' }),
  },
  { atomic: true },
);
export type LocalObjectReference = Infer<typeof LocalObjectReference>;

export const TypedLocalObjectReference = message(
  'core.v1.TypedLocalObjectReference',
  {
    apiGroup: string(1, { pointer: true }),
    kind: string(2, { required: true }),
    name: string(3, { required: true }),
  },
  { atomic: true },
);
export type TypedLocalObjectReference = Infer<typeof TypedLocalObjectReference>;

export const TypedObjectReference = message('core.v1.TypedObjectReference', {
  apiGroup: string(1, { pointer: true }),
  kind: string(2, { required: true }),
  name: string(3, { required: true }),
  namespace: string(4, { pointer: true }),
});
export type TypedObjectReference = Infer<typeof TypedObjectReference>;
