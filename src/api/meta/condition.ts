import { int64, message, string, time } from '../declare.ts';
import type { Infer } from '../schema.ts';

/** Conditions of newer kinds. */

export const Condition = message(
  'meta.v1.Condition',
  {
    type: string(1, { doc: 'Which aspect.', required: true }),
    status: string(2, { doc: '`True`, `False` or `Unknown`.', required: true, values: ['True', 'False', 'Unknown'] }),
    observedGeneration: int64(3, { doc: 'The generation of the object that was looked at.' }),
    lastTransitionTime: time(4, { doc: 'When `status` changed last.', required: true }),
    reason: string(5, { doc: 'One word for programs.', required: true }),
    message: string(6, { doc: 'A sentence for people.', required: true }),
  },
  { doc: 'One aspect of the state of an object.' },
);
export type Condition = Infer<typeof Condition>;
