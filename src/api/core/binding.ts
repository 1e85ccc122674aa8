import { kind, message, object } from '../declare.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Infer } from '../schema.ts';
import { ObjectReference } from './references.ts';

/** Bindings: the body of `pods/binding`. */

export const BindingMessage = message(
  'core.v1.Binding',
  {
    ...typeMeta,
    metadata,
    target: object(2, ObjectReference, { required: true, pointer: false }),
  },
  { doc: 'Puts a Pod on a node.' },
);
export type Binding = Infer<typeof BindingMessage>;

export const Binding = kind(BindingMessage, {
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  namespaced: true,
  verbs: ['create'],
});
