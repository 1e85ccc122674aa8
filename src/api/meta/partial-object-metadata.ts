import type { Infer } from '../schema.ts';
import { message, object } from '../schema.ts';
import { ObjectMeta } from './object-meta.ts';

export const PartialObjectMetadata = message('meta.v1.PartialObjectMetadata', {
  metadata: object(1, ObjectMeta, { pointer: false }),
});
export type PartialObjectMetadata = Infer<typeof PartialObjectMetadata>;
