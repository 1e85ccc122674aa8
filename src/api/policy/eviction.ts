import { kind, message, object } from '../declare.ts';
import { DeleteOptions } from '../meta/delete-options.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Infer } from '../schema.ts';

/** Asking for a Pod to go. */

export const EvictionMessage = message(
  'policy.v1.Eviction',
  {
    ...typeMeta,
    metadata,
    deleteOptions: object(2, DeleteOptions, { doc: 'How to delete it.' }),
  },
  { doc: 'Asks for a Pod to go, if its budget allows it.' },
);
export type Eviction = Infer<typeof EvictionMessage>;

export const Eviction = kind(EvictionMessage, {
  group: 'policy',
  version: 'v1',
  kind: 'Eviction',
  plural: 'evictions',
  namespaced: true,
  verbs: [],
});
