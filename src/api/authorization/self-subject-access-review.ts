import { kind, message, object } from '../declare.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Infer } from '../schema.ts';
import { NonResourceAttributes, ResourceAttributes } from './attributes.ts';
import { SubjectAccessReviewStatus } from './subject-access-review.ts';

/** May I do something? */

export const SelfSubjectAccessReviewSpec = message(
  'authorization.v1.SelfSubjectAccessReviewSpec',
  {
    resourceAttributes: object(1, ResourceAttributes),
    nonResourceAttributes: object(2, NonResourceAttributes),
  },
  { doc: 'What.' },
);
export type SelfSubjectAccessReviewSpec = Infer<typeof SelfSubjectAccessReviewSpec>;

export const SelfSubjectAccessReviewMessage = message(
  'authorization.v1.SelfSubjectAccessReview',
  {
    ...typeMeta,
    metadata,
    spec: object(2, SelfSubjectAccessReviewSpec, { required: true, present: true, pointer: false }),
    status: object(3, SubjectAccessReviewStatus, { pointer: false }),
  },
  { doc: 'Asks whether the asker may do something.' },
);
export type SelfSubjectAccessReview = Infer<typeof SelfSubjectAccessReviewMessage>;

export const SelfSubjectAccessReview = kind(SelfSubjectAccessReviewMessage, {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  namespaced: false,
  verbs: ['create'],
});
