import { int64, kind, list, message, object, string, time } from '../declare.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Infer } from '../schema.ts';

/** Tokens of ServiceAccounts. */

export const BoundObjectReference = message(
  'authentication.v1.BoundObjectReference',
  {
    kind: string(1),
    apiVersion: string(2),
    name: string(3),
    uid: string(4),
  },
  { doc: 'The object whose end ends a token.' },
);
export type BoundObjectReference = Infer<typeof BoundObjectReference>;

export const TokenRequestSpec = message(
  'authentication.v1.TokenRequestSpec',
  {
    audiences: list(1, 'string', { doc: 'Whom the token is for.' }),
    expirationSeconds: int64(4, { doc: 'How long it is good for.', pointer: true, default: 3600 }),
    boundObjectRef: object(3, BoundObjectReference, { doc: 'The object whose end ends the token.' }),
  },
  { doc: 'Which token.' },
);
export type TokenRequestSpec = Infer<typeof TokenRequestSpec>;

export const TokenRequestStatus = message(
  'authentication.v1.TokenRequestStatus',
  {
    token: string(1, { doc: 'The token.' }),
    expirationTimestamp: time(2, { doc: 'Until when it is good.' }),
  },
  { doc: 'A token.' },
);
export type TokenRequestStatus = Infer<typeof TokenRequestStatus>;

export const TokenRequestMessage = message(
  'authentication.v1.TokenRequest',
  {
    ...typeMeta,
    metadata,
    spec: object(2, TokenRequestSpec, { doc: 'What the author wants.', pointer: false }),
    status: object(3, TokenRequestStatus, { doc: 'The token.', pointer: false }),
  },
  { doc: 'Asks for a token of a ServiceAccount.' },
);
export type TokenRequest = Infer<typeof TokenRequestMessage>;

export const TokenRequest = kind(TokenRequestMessage, {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenRequest',
  plural: 'serviceaccounts/token',
  namespaced: true,
  verbs: ['create'],
});
