import { ageColumn, nameColumn } from '../columns.ts';
import { kind, list, message, object, string, time } from '../declare.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import { dnsLabel, nameRule } from '../names.ts';
import type { Infer } from '../schema.ts';
import { statusSubresource } from '../subresources.ts';

/** Namespaces: rooms for names. */

export const NamespaceSpec = message(
  'core.v1.NamespaceSpec',
  {
    finalizers: list(1, 'string', { doc: 'Who still has to clean up before it may go.' }),
  },
  { doc: 'What holds a namespace.' },
);
export type NamespaceSpec = Infer<typeof NamespaceSpec>;

export const NamespaceCondition = message(
  'core.v1.NamespaceCondition',
  {
    type: string(1, { doc: 'Which aspect.', required: true }),
    status: string(2, { doc: '`True`, `False` or `Unknown`.', required: true, values: ['True', 'False', 'Unknown'] }),
    lastTransitionTime: time(4, { doc: 'When `status` changed last.' }),
    reason: string(5, { doc: 'One word for programs.' }),
    message: string(6, { doc: 'A sentence for people.' }),
  },
  { doc: 'One aspect of the state.' },
);
export type NamespaceCondition = Infer<typeof NamespaceCondition>;

export const NamespaceStatus = message(
  'core.v1.NamespaceStatus',
  {
    phase: string(1, {
      doc: '`Active`, or `Terminating` while its content is deleted.',
      values: ['Active', 'Terminating'],
    }),
    conditions: list(2, NamespaceCondition, {
      doc: 'Aspects of its state.',
      mergeKey: 'type',
      listType: 'map',
      mapKeys: ['type'],
    }),
  },
  { doc: 'What became of a namespace.' },
);
export type NamespaceStatus = Infer<typeof NamespaceStatus>;

export const NamespaceMessage = message(
  'core.v1.Namespace',
  {
    ...typeMeta,
    metadata,
    spec: object(2, NamespaceSpec, { present: true, doc: 'What the author wants.', pointer: false }),
    status: object(3, NamespaceStatus, {
      doc: 'What the system observed. Written by controllers, never by authors.',
      pointer: false,
    }),
  },
  { doc: 'A room for names: objects in different namespaces may have the same name.' },
);
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
