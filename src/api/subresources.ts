import type { Subresource } from './schema.ts';

/** Subresources that many kinds have. */

/** Read and written by controllers; the rest of the object stays. */
export const statusSubresource: Subresource = { name: 'status', verbs: ['get', 'patch', 'update'] };

/** The number of replicas in a form that is the same for all kinds. */
export const scaleSubresource: Subresource = {
  name: 'scale',
  verbs: ['get', 'patch', 'update'],
  kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
};
