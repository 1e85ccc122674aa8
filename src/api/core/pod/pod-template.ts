import { message, object } from '../../declare.ts';
import { ObjectMeta } from '../../meta/object-meta.ts';
import type { Infer } from '../../schema.ts';
import { PodSpec } from './pod-spec.ts';

/** What the Pods of a workload look like. */

export const PodTemplateSpec = message(
  'core.v1.PodTemplateSpec',
  {
    metadata: object(1, ObjectMeta, { doc: 'Labels and annotations of the Pods.', pointer: false }),
    spec: object(2, PodSpec, { doc: 'What the Pods run.', pointer: false }),
  },
  { doc: 'What the Pods made from it look like.' },
);
export type PodTemplateSpec = Infer<typeof PodTemplateSpec>;
