import { bool, kind, list, map, message, object, string } from '../declare.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Infer } from '../schema.ts';
import { NonResourceAttributes, ResourceAttributes } from './attributes.ts';

/** May somebody do something? */

export const SubjectAccessReviewSpec = message(
  'authorization.v1.SubjectAccessReviewSpec',
  {
    resourceAttributes: object(1, ResourceAttributes),
    nonResourceAttributes: object(2, NonResourceAttributes),
    user: string(3),
    groups: list(4, 'string'),
    extra: map(5, 'strings'),
    uid: string(6),
  },
  { doc: 'Who, and what.' },
);
export type SubjectAccessReviewSpec = Infer<typeof SubjectAccessReviewSpec>;

export const SubjectAccessReviewStatus = message(
  'authorization.v1.SubjectAccessReviewStatus',
  {
    allowed: bool(1, { required: true }),
    denied: bool(4),
    reason: string(2),
    evaluationError: string(3),
  },
  { doc: 'The answer, and why.' },
);
export type SubjectAccessReviewStatus = Infer<typeof SubjectAccessReviewStatus>;

export const SubjectAccessReviewMessage = message(
  'authorization.v1.SubjectAccessReview',
  {
    ...typeMeta,
    metadata,
    spec: object(2, SubjectAccessReviewSpec, { required: true, present: true, pointer: false }),
    status: object(3, SubjectAccessReviewStatus, { pointer: false }),
  },
  { doc: 'Asks whether somebody may do something.' },
);
export type SubjectAccessReview = Infer<typeof SubjectAccessReviewMessage>;

export const LocalSubjectAccessReviewMessage = message(
  'authorization.v1.LocalSubjectAccessReview',
  {
    ...typeMeta,
    metadata,
    spec: object(2, SubjectAccessReviewSpec, { required: true, present: true, pointer: false }),
    status: object(3, SubjectAccessReviewStatus, { pointer: false }),
  },
  { doc: 'Asks whether somebody may do something in one namespace.' },
);
export type LocalSubjectAccessReview = Infer<typeof LocalSubjectAccessReviewMessage>;

export const SubjectAccessReview = kind(SubjectAccessReviewMessage, {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
  verbs: ['create'],
});

export const LocalSubjectAccessReview = kind(LocalSubjectAccessReviewMessage, {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  namespaced: true,
  verbs: ['create'],
});
