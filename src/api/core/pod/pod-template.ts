import type { Infer } from '../../schema.ts';
import { message, object } from '../../schema.ts';
import { PodSpec } from './pod-spec.ts';
import { ObjectMeta } from '../../meta/object-meta.ts';

export const PodTemplateSpec = message('core.v1.PodTemplateSpec', {
  metadata: object(1, ObjectMeta, { pointer: false }),
  spec: object(2, PodSpec, { pointer: false }),
});
export type PodTemplateSpec = Infer<typeof PodTemplateSpec>;
