import { int64, message, object, string } from '../declare.ts';
import type { Infer } from '../schema.ts';

/** What lists say about themselves. */

export const ShardInfo = message(
  'meta.v1.ShardInfo',
  {
    selector: string(1, { required: true }),
  },
  { doc: 'Which part of a list this is.' },
);
export type ShardInfo = Infer<typeof ShardInfo>;

export const ListMeta = message(
  'meta.v1.ListMeta',
  {
    selfLink: string(1, { doc: 'No longer filled in.' }),
    resourceVersion: string(2, { doc: 'The version of the store that the list shows.' }),
    continue: string(3, { doc: 'Token for the next page; absent on the last one.' }),
    remainingItemCount: int64(4, { doc: 'How many objects are still to come, when known.', pointer: true }),
    shardInfo: object(5, ShardInfo),
  },
  { doc: 'What a list says about itself.' },
);
export type ListMeta = Infer<typeof ListMeta>;
