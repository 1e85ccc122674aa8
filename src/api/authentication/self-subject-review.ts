import { kind, message, object } from '../declare.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Infer } from '../schema.ts';
import { UserInfo } from './user-info.ts';

/** Who am I? */

export const SelfSubjectReviewStatus = message(
  'authentication.v1.SelfSubjectReviewStatus',
  {
    userInfo: object(1, UserInfo, { pointer: false }),
  },
  { doc: 'Who is asking.' },
);
export type SelfSubjectReviewStatus = Infer<typeof SelfSubjectReviewStatus>;

export const SelfSubjectReviewMessage = message(
  'authentication.v1.SelfSubjectReview',
  {
    ...typeMeta,
    metadata,
    status: object(2, SelfSubjectReviewStatus, { pointer: false }),
  },
  { doc: 'Asks who is asking.' },
);
export type SelfSubjectReview = Infer<typeof SelfSubjectReviewMessage>;

export const SelfSubjectReview = kind(SelfSubjectReviewMessage, {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  namespaced: false,
  verbs: ['create'],
});
