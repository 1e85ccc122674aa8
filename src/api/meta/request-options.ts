import type { Infer } from '../schema.ts';
import { bool, int64, list, message, string } from '../schema.ts';

/** Query parameters of requests, as typed clients know them. */

export const ListOptions = message(
  'meta.v1.ListOptions',
  {
    labelSelector: string(1),
    fieldSelector: string(2),
    watch: bool(3),
    allowWatchBookmarks: bool(9),
    resourceVersion: string(4),
    resourceVersionMatch: string(10),
    timeoutSeconds: int64(5, { pointer: true }),
    limit: int64(7),
    continue: string(8),
    sendInitialEvents: bool(11, { pointer: true }),
    shardSelector: string(15),
  },
  { doc: 'How to list or watch.' },
);
export type ListOptions = Infer<typeof ListOptions>;

export const CreateOptions = message(
  'meta.v1.CreateOptions',
  {
    dryRun: list(1, 'string'),
    fieldManager: string(3),
    fieldValidation: string(4),
  },
  { doc: 'How to create.' },
);
export type CreateOptions = Infer<typeof CreateOptions>;

export const PatchOptions = message(
  'meta.v1.PatchOptions',
  {
    dryRun: list(1, 'string'),
    force: bool(2, { pointer: true }),
    fieldManager: string(3),
    fieldValidation: string(4),
  },
  { doc: 'How to patch.' },
);
export type PatchOptions = Infer<typeof PatchOptions>;

export const UpdateOptions = message(
  'meta.v1.UpdateOptions',
  {
    dryRun: list(1, 'string'),
    fieldManager: string(2),
    fieldValidation: string(3),
  },
  { doc: 'How to update.' },
);
export type UpdateOptions = Infer<typeof UpdateOptions>;

export const GetOptions = message(
  'meta.v1.GetOptions',
  {
    resourceVersion: string(1),
  },
  { doc: 'How to get.' },
);
export type GetOptions = Infer<typeof GetOptions>;
