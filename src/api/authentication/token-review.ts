import { bool, kind, list, message, object, string } from '../declare.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Infer } from '../schema.ts';
import { UserInfo } from './user-info.ts';

/** Whose token is it? */

export const TokenReviewSpec = message(
  'authentication.v1.TokenReviewSpec',
  {
    token: string(1),
    audiences: list(2, 'string'),
  },
  { doc: 'The token in question.' },
);
export type TokenReviewSpec = Infer<typeof TokenReviewSpec>;

export const TokenReviewStatus = message(
  'authentication.v1.TokenReviewStatus',
  {
    authenticated: bool(1),
    user: object(2, UserInfo, { pointer: false }),
    audiences: list(4, 'string'),
    error: string(3),
  },
  { doc: 'The answer about a token.' },
);
export type TokenReviewStatus = Infer<typeof TokenReviewStatus>;

export const TokenReviewMessage = message(
  'authentication.v1.TokenReview',
  {
    ...typeMeta,
    metadata,
    spec: object(2, TokenReviewSpec, { required: true, present: true, pointer: false }),
    status: object(3, TokenReviewStatus, { pointer: false }),
  },
  { doc: 'Asks whether a token is good, and whose it is.' },
);
export type TokenReview = Infer<typeof TokenReviewMessage>;

export const TokenReview = kind(TokenReviewMessage, {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  namespaced: false,
  verbs: ['create'],
});
