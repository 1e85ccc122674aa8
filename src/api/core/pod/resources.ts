import type { Infer } from '../../schema.ts';
import { list, map, message, string } from '../../schema.ts';

export const ResourceClaim = message('core.v1.ResourceClaim', {
  name: string(1, { required: true }),
  request: string(2),
});
export type ResourceClaim = Infer<typeof ResourceClaim>;

export const ResourceRequirements = message('core.v1.ResourceRequirements', {
  limits: map(1, 'quantity'),
  requests: map(2, 'quantity'),
  claims: list(3, ResourceClaim, { listType: 'map', mapKeys: ['name'] }),
});
export type ResourceRequirements = Infer<typeof ResourceRequirements>;

export const VolumeResourceRequirements = message('core.v1.VolumeResourceRequirements', {
  limits: map(1, 'quantity'),
  requests: map(2, 'quantity'),
});
export type VolumeResourceRequirements = Infer<typeof VolumeResourceRequirements>;
