import type { Infer } from '../schema.ts';
import { kind, list, message, object, string, time } from '../schema.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { dnsLabel, nameRule } from '../names.ts';
import { statusSubresource } from '../subresources.ts';

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

const nameLabel = 'kubernetes.io/metadata.name';

/** Every namespace carries its name as a label, so that selectors can pick it. */
function labelWithName(namespace: Namespace): Namespace {
  const { metadata } = namespace;
  if (metadata.name === undefined || metadata.labels?.[nameLabel] === metadata.name) return namespace;
  return { ...namespace, metadata: { ...metadata, labels: { ...metadata.labels, [nameLabel]: metadata.name } } };
}

/** The finalizer keeps a namespace until its content is gone. */
function beginActive(namespace: Namespace): Namespace {
  const finalizers = new Set([...(namespace.spec.finalizers ?? []), 'kubernetes']);
  return { ...namespace, spec: { finalizers: [...finalizers] }, status: { phase: 'Active' } };
}

export const Namespace = kind(NamespaceMessage, {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
  shortNames: ['ns'],
  subresources: [{ name: 'finalize', verbs: ['update'] }, statusSubresource],
  columns: [
    nameColumn,
    { name: 'Status', type: 'string', doc: 'Active or Terminating.', cell: ({ status }) => status?.phase ?? '' },
    ageColumn,
  ],
  selectableFields: { 'status.phase': ({ status }) => status?.phase ?? '' },
  validateName: nameRule(dnsLabel),
  setDefaults: labelWithName,
  prepareForCreate: beginActive,
  prepareForUpdate: (namespace, old) => ({ ...namespace, spec: old.spec }),
});
