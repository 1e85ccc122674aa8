import type { Infer } from '../schema.ts';
import { int32, kind, message, object, string } from '../schema.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';

export const ScaleSpec = message('autoscaling.v1.ScaleSpec', {
  replicas: int32(1, { default: 0 }),
});
export type ScaleSpec = Infer<typeof ScaleSpec>;

export const ScaleStatus = message('autoscaling.v1.ScaleStatus', {
  replicas: int32(1, { required: true }),
  selector: string(2),
});
export type ScaleStatus = Infer<typeof ScaleStatus>;

export const ScaleMessage = message('autoscaling.v1.Scale', {
  ...typeMeta,
  metadata,
  spec: object(2, ScaleSpec, { present: true, pointer: false }),
  status: object(3, ScaleStatus, { pointer: false }),
});
export type Scale = Infer<typeof ScaleMessage>;

export const Scale = kind(ScaleMessage, {
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  plural: 'scales',
  namespaced: true,
  verbs: [],
});
