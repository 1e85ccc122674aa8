import { ageColumn, nameColumn } from '../columns.ts';
import { int32, kind, message, microTime, object, string } from '../declare.ts';
import { Issues } from '../issues.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Checked, Infer } from '../schema.ts';

/** Leases: claims that are renewed. */

export const LeaseSpec = message(
  'coordination.v1.LeaseSpec',
  {
    holderIdentity: string(1, { doc: 'Who holds it.', pointer: true }),
    leaseDurationSeconds: int32(2, { doc: 'How long others wait after the last renewal.', pointer: true }),
    acquireTime: microTime(3, { doc: 'When it was taken.', pointer: true }),
    renewTime: microTime(4, { doc: 'When it was renewed last.', pointer: true }),
    leaseTransitions: int32(5, { doc: 'How often it changed hands.', pointer: true }),
    strategy: string(6, { doc: 'How the next holder is chosen.', pointer: true }),
    preferredHolder: string(7, { doc: 'Who should get it next.', pointer: true }),
  },
  { doc: 'Who holds a lease.' },
);
export type LeaseSpec = Infer<typeof LeaseSpec>;

export const LeaseMessage = message(
  'coordination.v1.Lease',
  {
    ...typeMeta,
    metadata,
    spec: object(2, LeaseSpec, { present: true, doc: 'Who holds it, since when, for how long.', pointer: false }),
  },
  { doc: 'A claim that its holder renews; how leaders are chosen and nodes show that they live.' },
);
export type Lease = Infer<typeof LeaseMessage>;

function validateLease({ spec }: Lease): Checked {
  const issues = new Issues();
  const { leaseDurationSeconds: duration } = spec;
  if (duration !== undefined && duration <= 0) {
    issues.invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0');
  }
  issues.nonNegative('spec.leaseTransitions', spec.leaseTransitions);
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
