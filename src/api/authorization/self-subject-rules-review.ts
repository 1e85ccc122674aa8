import { bool, kind, list, message, object, string } from '../declare.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Infer } from '../schema.ts';

/** What may I do? */

export const SelfSubjectRulesReviewSpec = message(
  'authorization.v1.SelfSubjectRulesReviewSpec',
  {
    namespace: string(1),
  },
  { doc: 'Which namespace.' },
);
export type SelfSubjectRulesReviewSpec = Infer<typeof SelfSubjectRulesReviewSpec>;

export const ResourceRule = message(
  'authorization.v1.ResourceRule',
  {
    verbs: list(1, 'string', { required: true }),
    apiGroups: list(2, 'string'),
    resources: list(3, 'string'),
    resourceNames: list(4, 'string'),
  },
  { doc: 'Verbs on resources.' },
);
export type ResourceRule = Infer<typeof ResourceRule>;

export const NonResourceRule = message(
  'authorization.v1.NonResourceRule',
  {
    verbs: list(1, 'string', { required: true }),
    nonResourceURLs: list(2, 'string'),
  },
  { doc: 'Verbs on paths.' },
);
export type NonResourceRule = Infer<typeof NonResourceRule>;

export const SubjectRulesReviewStatus = message(
  'authorization.v1.SubjectRulesReviewStatus',
  {
    resourceRules: list(1, ResourceRule, { required: true }),
    nonResourceRules: list(2, NonResourceRule, { required: true }),
    incomplete: bool(3, { required: true }),
    evaluationError: string(4),
  },
  { doc: 'What somebody may do.' },
);
export type SubjectRulesReviewStatus = Infer<typeof SubjectRulesReviewStatus>;

export const SelfSubjectRulesReviewMessage = message(
  'authorization.v1.SelfSubjectRulesReview',
  {
    ...typeMeta,
    metadata,
    spec: object(2, SelfSubjectRulesReviewSpec, { required: true, present: true, pointer: false }),
    status: object(3, SubjectRulesReviewStatus, { pointer: false }),
  },
  { doc: 'Asks what the asker may do in a namespace.' },
);
export type SelfSubjectRulesReview = Infer<typeof SelfSubjectRulesReviewMessage>;

export const SelfSubjectRulesReview = kind(SelfSubjectRulesReviewMessage, {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  namespaced: false,
  verbs: ['create'],
});
