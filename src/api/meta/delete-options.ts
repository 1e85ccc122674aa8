import type { Infer } from '../schema.ts';
import { bool, int64, list, message, object, string } from '../schema.ts';

export const Preconditions = message('meta.v1.Preconditions', {
  uid: string(1, { pointer: true }),
  resourceVersion: string(2, { pointer: true }),
});
export type Preconditions = Infer<typeof Preconditions>;

export const DeleteOptions = message('meta.v1.DeleteOptions', {
  gracePeriodSeconds: int64(1, { pointer: true }),
  preconditions: object(2, Preconditions),
  orphanDependents: bool(3, { pointer: true }),
  propagationPolicy: string(4, { pointer: true }),
  dryRun: list(5, 'string'),
  ignoreStoreReadErrorWithClusterBreakingPotential: bool(6, { pointer: true }),
});
export type DeleteOptions = Infer<typeof DeleteOptions>;
