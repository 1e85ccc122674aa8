import { int32, list, message, object, string } from '../declare.ts';
import type { Infer } from '../schema.ts';
import { ListMeta } from './list-meta.ts';

/** The outcome of a request. `errors.ts` makes them. */

export const StatusCause = message(
  'meta.v1.StatusCause',
  {
    reason: string(1),
    message: string(2),
    field: string(3),
  },
  { doc: 'One thing that is wrong.' },
);
export type StatusCause = Infer<typeof StatusCause>;

export const StatusDetails = message(
  'meta.v1.StatusDetails',
  {
    name: string(1),
    group: string(2),
    kind: string(3),
    uid: string(6),
    causes: list(4, StatusCause),
    retryAfterSeconds: int32(5),
  },
  { doc: 'What the outcome of a request is about.' },
);
export type StatusDetails = Infer<typeof StatusDetails>;

export const Status = message(
  'meta.v1.Status',
  {
    metadata: object(1, ListMeta, { pointer: false }),
    status: string(2, { doc: '`Success` or `Failure`.' }),
    message: string(3, { doc: 'A sentence for people.' }),
    reason: string(4, { doc: 'One word for programs.' }),
    details: object(5, StatusDetails, { doc: 'What it is about.' }),
    code: int32(6, { doc: 'HTTP status.' }),
  },
  { doc: 'The outcome of a request that has no object to answer with.' },
);
export type Status = Infer<typeof Status>;
