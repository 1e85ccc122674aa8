import type { Infer } from '../schema.ts';
import { int64, message, object, string } from '../schema.ts';

export const ShardInfo = message('meta.v1.ShardInfo', {
  selector: string(1, { required: true }),
});
export type ShardInfo = Infer<typeof ShardInfo>;

export const ListMeta = message('meta.v1.ListMeta', {
  selfLink: string(1),
  resourceVersion: string(2),
  continue: string(3),
  remainingItemCount: int64(4, { pointer: true }),
  shardInfo: object(5, ShardInfo),
});
export type ListMeta = Infer<typeof ListMeta>;
