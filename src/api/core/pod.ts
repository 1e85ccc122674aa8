import type { Infer } from '../schema.ts';
import { kind, message, object } from '../schema.ts';
import { PodSpec } from './pod/pod-spec.ts';
import { PodStatus } from './pod/pod-status.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';

export const PodMessage = message('core.v1.Pod', {
  ...typeMeta,
  metadata,
  spec: object(2, PodSpec, { present: true, pointer: false }),
  status: object(3, PodStatus, { pointer: false }),
});
export type Pod = Infer<typeof PodMessage>;

export const Pod = kind(PodMessage, {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
  shortNames: ['po'],
  categories: ['all'],
  hasGeneration: true,
  subresources: [
    { name: 'attach', verbs: ['create', 'get'], kind: { group: '', version: 'v1', kind: 'PodAttachOptions' } },
    { name: 'binding', verbs: ['create'], kind: { group: '', version: 'v1', kind: 'Binding' } },
    { name: 'ephemeralcontainers', verbs: ['get', 'patch', 'update'] },
    { name: 'eviction', verbs: ['create'], kind: { group: 'policy', version: 'v1', kind: 'Eviction' } },
    { name: 'exec', verbs: ['create', 'get'], kind: { group: '', version: 'v1', kind: 'PodExecOptions' } },
    { name: 'log', verbs: ['get'] },
    {
      name: 'portforward',
      verbs: ['create', 'get'],
      kind: { group: '', version: 'v1', kind: 'PodPortForwardOptions' },
    },
    { name: 'status', verbs: ['get', 'patch', 'update'] },
  ],
});
