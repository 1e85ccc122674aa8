import type { Infer } from '../schema.ts';
import { int64, kind, list, message, object, string, time } from '../schema.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';

export const BoundObjectReference = message('authentication.v1.BoundObjectReference', {
  kind: string(1),
  apiVersion: string(2),
  name: string(3),
  uid: string(4),
});
export type BoundObjectReference = Infer<typeof BoundObjectReference>;

export const TokenRequestSpec = message('authentication.v1.TokenRequestSpec', {
  audiences: list(1, 'string'),
  expirationSeconds: int64(4, { pointer: true, default: 3600 }),
  boundObjectRef: object(3, BoundObjectReference),
});
export type TokenRequestSpec = Infer<typeof TokenRequestSpec>;

export const TokenRequestStatus = message('authentication.v1.TokenRequestStatus', {
  token: string(1),
  expirationTimestamp: time(2),
});
export type TokenRequestStatus = Infer<typeof TokenRequestStatus>;

export const TokenRequestMessage = message('authentication.v1.TokenRequest', {
  ...typeMeta,
  metadata,
  spec: object(2, TokenRequestSpec, { pointer: false }),
  status: object(3, TokenRequestStatus, { pointer: false }),
});
export type TokenRequest = Infer<typeof TokenRequestMessage>;

export const TokenRequest = kind(TokenRequestMessage, {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenRequest',
  plural: 'serviceaccounts/token',
  namespaced: true,
  verbs: ['create'],
});
