import { list, map, message, string } from '../declare.ts';
import type { Infer } from '../schema.ts';

/** Who somebody is. */

export const UserInfo = message(
  'authentication.v1.UserInfo',
  {
    username: string(1),
    uid: string(2),
    groups: list(3, 'string'),
    extra: map(4, 'strings'),
  },
  { doc: 'Who somebody is.' },
);
export type UserInfo = Infer<typeof UserInfo>;
