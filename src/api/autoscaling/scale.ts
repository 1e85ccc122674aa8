import { int32, kind, message, object, string } from '../declare.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Infer } from '../schema.ts';

/** The replicas of an object, in the same form for all kinds. */

export const ScaleSpec = message(
  'autoscaling.v1.ScaleSpec',
  {
    replicas: int32(1, { doc: 'How many.', default: 0 }),
  },
  { doc: 'How many are wanted.' },
);
export type ScaleSpec = Infer<typeof ScaleSpec>;

export const ScaleStatus = message(
  'autoscaling.v1.ScaleStatus',
  {
    replicas: int32(1, { doc: 'How many.', required: true }),
    selector: string(2, { doc: 'Labels of the Pods, as text.' }),
  },
  { doc: 'How many there are.' },
);
export type ScaleStatus = Infer<typeof ScaleStatus>;

export const ScaleMessage = message(
  'autoscaling.v1.Scale',
  {
    ...typeMeta,
    metadata,
    spec: object(2, ScaleSpec, { present: true, doc: 'What the author wants.', pointer: false }),
    status: object(3, ScaleStatus, {
      doc: 'What the system observed. Written by controllers, never by authors.',
      pointer: false,
    }),
  },
  { doc: 'How many replicas an object has, in the same form for all kinds.' },
);
export type Scale = Infer<typeof ScaleMessage>;

export const Scale = kind(ScaleMessage, {
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  plural: 'scales',
  namespaced: true,
  verbs: [],
});
