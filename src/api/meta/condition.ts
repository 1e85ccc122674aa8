import type { Infer } from '../schema.ts';
import { int64, message, string, time } from '../schema.ts';

export const Condition = message('meta.v1.Condition', {
  type: string(1, { required: true }),
  status: string(2, { required: true, values: ['True', 'False', 'Unknown'] }),
  observedGeneration: int64(3),
  lastTransitionTime: time(4, { required: true }),
  reason: string(5, { required: true }),
  message: string(6, { required: true }),
});
export type Condition = Infer<typeof Condition>;
