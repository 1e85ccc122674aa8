import type { Infer } from '../schema.ts';
import { kind, list, message, object, string, time } from '../schema.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';

export const NamespaceSpec = message('core.v1.NamespaceSpec', {
  finalizers: list(1, 'string'),
});
export type NamespaceSpec = Infer<typeof NamespaceSpec>;

export const NamespaceCondition = message('core.v1.NamespaceCondition', {
  type: string(1, { required: true }),
  status: string(2, { required: true, values: ['True', 'False', 'Unknown'] }),
  lastTransitionTime: time(4),
  reason: string(5),
  message: string(6),
});
export type NamespaceCondition = Infer<typeof NamespaceCondition>;

export const NamespaceStatus = message('core.v1.NamespaceStatus', {
  phase: string(1, { values: ['Active', 'Terminating'] }),
  conditions: list(2, NamespaceCondition, { mergeKey: 'type', listType: 'map', mapKeys: ['type'] }),
});
export type NamespaceStatus = Infer<typeof NamespaceStatus>;

export const NamespaceMessage = message('core.v1.Namespace', {
  ...typeMeta,
  metadata,
  spec: object(2, NamespaceSpec, { present: true, pointer: false }),
  status: object(3, NamespaceStatus, { pointer: false }),
});
export type Namespace = Infer<typeof NamespaceMessage>;

export const Namespace = kind(NamespaceMessage, {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
  shortNames: ['ns'],
  subresources: [
    { name: 'finalize', verbs: ['update'] },
    { name: 'status', verbs: ['get', 'patch', 'update'] },
  ],
});
