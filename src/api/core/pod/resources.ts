import { list, map, message, string } from '../../declare.ts';
import type { Infer } from '../../schema.ts';

/** What containers need and may use. */

export const ResourceClaim = message(
  'core.v1.ResourceClaim',
  {
    name: string(1, { required: true }),
    request: string(2),
  },
  { doc: 'A device that is claimed.' },
);
export type ResourceClaim = Infer<typeof ResourceClaim>;

export const ResourceRequirements = message(
  'core.v1.ResourceRequirements',
  {
    limits: map(1, 'quantity', { doc: 'The most it may use.' }),
    requests: map(2, 'quantity', { doc: 'What is set aside for it.' }),
    claims: list(3, ResourceClaim, { doc: 'Devices it uses.', listType: 'map', mapKeys: ['name'] }),
  },
  { doc: 'What is needed and what may be used.' },
);
export type ResourceRequirements = Infer<typeof ResourceRequirements>;

export const VolumeResourceRequirements = message(
  'core.v1.VolumeResourceRequirements',
  {
    limits: map(1, 'quantity'),
    requests: map(2, 'quantity'),
  },
  { doc: 'How much storage is needed.' },
);
export type VolumeResourceRequirements = Infer<typeof VolumeResourceRequirements>;
