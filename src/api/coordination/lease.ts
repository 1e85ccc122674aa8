import type { Infer } from '../schema.ts';
import { int32, kind, message, microTime, object, string } from '../schema.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { Issues } from '../issues.ts';
import type { Checked } from '../schema.ts';

export const LeaseSpec = message('coordination.v1.LeaseSpec', {
  holderIdentity: string(1, { pointer: true }),
  leaseDurationSeconds: int32(2, { pointer: true }),
  acquireTime: microTime(3, { pointer: true }),
  renewTime: microTime(4, { pointer: true }),
  leaseTransitions: int32(5, { pointer: true }),
  strategy: string(6, { pointer: true }),
  preferredHolder: string(7, { pointer: true }),
});
export type LeaseSpec = Infer<typeof LeaseSpec>;

export const LeaseMessage = message('coordination.v1.Lease', {
  ...typeMeta,
  metadata,
  spec: object(2, LeaseSpec, { present: true, pointer: false }),
});
export type Lease = Infer<typeof LeaseMessage>;

function validateLease({ spec }: Lease): Checked {
  const issues = new Issues();
  const { leaseDurationSeconds: duration } = spec;
  if (duration !== undefined && duration <= 0) {
    issues.invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0');
  }
  issues.nonNegative('spec.leaseTransitions', spec.leaseTransitions);
  if (spec.holderIdentity === '') issues.invalid('spec.holderIdentity', '', 'must not be empty');
  return issues.result();
}

export const Lease = kind(LeaseMessage, {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  createOnUpdate: true,
  columns: [
    nameColumn,
    { name: 'Holder', type: 'string', doc: 'Who has it.', cell: ({ spec }) => spec.holderIdentity ?? '' },
    ageColumn,
  ],
  validate: validateLease,
});
