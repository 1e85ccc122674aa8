import { kind, message, object } from '../declare.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Infer } from '../schema.ts';
import { statusSubresource } from '../subresources.ts';
import { podColumns } from './pod/pod-columns.ts';
import { defaultPod } from './pod/pod-defaults.ts';
import { qosClassOf } from './pod/pod-qos.ts';
import { PodSpec } from './pod/pod-spec.ts';
import { PodStatus } from './pod/pod-status.ts';
import { validatePodUpdate } from './pod/pod-update.ts';
import { validatePod } from './pod/pod-validation.ts';

/** Pods: containers that run together and share an address. */

export const PodMessage = message(
  'core.v1.Pod',
  {
    ...typeMeta,
    metadata,
    spec: object(2, PodSpec, { present: true, doc: 'What the author wants.', pointer: false }),
    status: object(3, PodStatus, {
      doc: 'What the system observed. Written by controllers, never by authors.',
      pointer: false,
    }),
  },
  { doc: 'Containers that run together on one node and share an address.' },
);
export type Pod = Infer<typeof PodMessage>;

/** A new Pod waits for a node. */
function beginPending(pod: Pod): Pod {
  return { ...pod, status: { phase: 'Pending', qosClass: qosClassOf(pod.spec) } };
}

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
    statusSubresource,
  ],
  columns: podColumns,
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec.hostNetwork ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIP ?? '',
    'status.podIPs': ({ status }) => status?.podIPs?.[0]?.ip ?? '',
    'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
  },
  setDefaults: defaultPod,
  validate: validatePod,
  validateUpdate: validatePodUpdate,
  prepareForCreate: beginPending,
});
