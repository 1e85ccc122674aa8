import { bool, int64, list, message, object, string } from '../declare.ts';
import type { Infer } from '../schema.ts';

/** The body of a delete. */

export const Preconditions = message(
  'meta.v1.Preconditions',
  {
    uid: string(1, { doc: 'The object still has this UID.', pointer: true }),
    resourceVersion: string(2, { doc: 'The object is still this version.', pointer: true }),
  },
  { doc: 'What must hold for a delete.' },
);
export type Preconditions = Infer<typeof Preconditions>;

export const DeleteOptions = message(
  'meta.v1.DeleteOptions',
  {
    gracePeriodSeconds: int64(1, { doc: 'Time to stop in; 0 deletes at once.', pointer: true }),
    preconditions: object(2, Preconditions, { doc: 'Delete only when this holds.' }),
    orphanDependents: bool(3, { doc: 'Older form of `propagationPolicy`.', pointer: true }),
    propagationPolicy: string(4, {
      doc: 'What happens to dependents: `Background`, `Foreground` or `Orphan`.',
      pointer: true,
    }),
    dryRun: list(5, 'string', { doc: '`All` goes through everything without storing the outcome.' }),
    ignoreStoreReadErrorWithClusterBreakingPotential: bool(6, { pointer: true }),
  },
  { doc: 'How to delete.' },
);
export type DeleteOptions = Infer<typeof DeleteOptions>;
