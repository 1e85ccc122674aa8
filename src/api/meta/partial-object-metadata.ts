import type { Infer } from '../schema.ts';
import { message, object } from '../schema.ts';
import { ObjectMeta } from './object-meta.ts';

/** What metadata clients ask for. */

export const PartialObjectMetadata = message(
  'meta.v1.PartialObjectMetadata',
  {
    metadata: object(1, ObjectMeta, { pointer: false }),
  },
  { doc: 'The metadata of an object without the rest.' },
);
export type PartialObjectMetadata = Infer<typeof PartialObjectMetadata>;
