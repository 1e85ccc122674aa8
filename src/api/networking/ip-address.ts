import type { Infer } from '../schema.ts';
import { kind, message, object, string } from '../schema.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';

export const ParentReference = message('networking.v1.ParentReference', {
  group: string(1),
  resource: string(2),
  namespace: string(3),
  name: string(4),
});
export type ParentReference = Infer<typeof ParentReference>;

export const IPAddressSpec = message('networking.v1.IPAddressSpec', {
  parentRef: object(1, ParentReference),
});
export type IPAddressSpec = Infer<typeof IPAddressSpec>;

export const IPAddressMessage = message('networking.v1.IPAddress', {
  ...typeMeta,
  metadata,
  spec: object(2, IPAddressSpec, { present: true, pointer: false }),
});
export type IPAddress = Infer<typeof IPAddressMessage>;

export const IPAddress = kind(IPAddressMessage, {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  namespaced: false,
  shortNames: ['ip'],
});
