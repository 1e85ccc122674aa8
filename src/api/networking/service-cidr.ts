import type { Infer } from '../schema.ts';
import { kind, list, message, object } from '../schema.ts';
import { Condition } from '../meta/condition.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';

export const ServiceCIDRSpec = message('networking.v1.ServiceCIDRSpec', {
  cidrs: list(1, 'string'),
});
export type ServiceCIDRSpec = Infer<typeof ServiceCIDRSpec>;

export const ServiceCIDRStatus = message('networking.v1.ServiceCIDRStatus', {
  conditions: list(1, Condition, { mergeKey: 'type', listType: 'map', mapKeys: ['type'] }),
});
export type ServiceCIDRStatus = Infer<typeof ServiceCIDRStatus>;

export const ServiceCIDRMessage = message('networking.v1.ServiceCIDR', {
  ...typeMeta,
  metadata,
  spec: object(2, ServiceCIDRSpec, { present: true, pointer: false }),
  status: object(3, ServiceCIDRStatus, { pointer: false }),
});
export type ServiceCIDR = Infer<typeof ServiceCIDRMessage>;

export const ServiceCIDR = kind(ServiceCIDRMessage, {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  namespaced: false,
  subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }],
});
