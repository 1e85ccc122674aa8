import type { Infer } from '../schema.ts';
import { bool, kind, map, message, string } from '../schema.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';

export const SecretMessage = message('core.v1.Secret', {
  ...typeMeta,
  metadata,
  immutable: bool(5, { pointer: true }),
  data: map(2, 'bytes'),
  stringData: map(4, 'string'),
  type: string(3),
});
export type Secret = Infer<typeof SecretMessage>;

export const Secret = kind(SecretMessage, {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
});
