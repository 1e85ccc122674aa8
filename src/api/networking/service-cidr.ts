import { isDeepStrictEqual } from 'node:util';
import { familyOf } from '../../lib/ip.ts';
import { cidr } from '../addresses.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { kind, list, message, object } from '../declare.ts';
import { Issues } from '../issues.ts';
import { Condition } from '../meta/condition.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Checked, Infer } from '../schema.ts';
import { statusSubresource } from '../subresources.ts';

/** ServiceCIDRs: where virtual addresses come from. */

export const ServiceCIDRSpec = message(
  'networking.v1.ServiceCIDRSpec',
  {
    cidrs: list(1, 'string', { doc: 'One or two ranges, one per IP family. Stay.' }),
  },
  { doc: 'The ranges.' },
);
export type ServiceCIDRSpec = Infer<typeof ServiceCIDRSpec>;

export const ServiceCIDRStatus = message(
  'networking.v1.ServiceCIDRStatus',
  {
    conditions: list(1, Condition, {
      doc: 'Aspects of their state.',
      mergeKey: 'type',
      listType: 'map',
      mapKeys: ['type'],
    }),
  },
  { doc: 'What became of the ranges.' },
);
export type ServiceCIDRStatus = Infer<typeof ServiceCIDRStatus>;

export const ServiceCIDRMessage = message(
  'networking.v1.ServiceCIDR',
  {
    ...typeMeta,
    metadata,
    spec: object(2, ServiceCIDRSpec, { present: true, doc: 'What the author wants.', pointer: false }),
    status: object(3, ServiceCIDRStatus, {
      doc: 'What the system observed. Written by controllers, never by authors.',
      pointer: false,
    }),
  },
  { doc: 'Ranges that virtual addresses of Services come from.' },
);
export type ServiceCIDR = Infer<typeof ServiceCIDRMessage>;

function validateServiceCidr({ spec }: ServiceCIDR): Checked {
  const issues = new Issues();
  const cidrs = spec.cidrs ?? [];
  if (cidrs.length === 0) issues.required('spec.cidrs', 'at least one CIDR required');
  if (cidrs.length > 2) issues.invalid('spec', spec, 'may only hold up to 2 values');
  for (const [index, each] of cidrs.entries()) issues.invalidAll(`spec.cidrs[${index}]`, each, cidr(each));
  const families = cidrs.map((each) => familyOf(each.split('/')[0] ?? ''));
  if (families.length === 2 && families[0] === families[1]) {
    issues.invalid(
      'spec',
      spec,
      'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96',
    );
  }
  return issues.result();
}

/** The ranges stay, except that a second family may be added. */
function validateServiceCidrUpdate({ spec }: ServiceCIDR, old: ServiceCIDR): Checked {
  const issues = new Issues();
  const cidrs = spec.cidrs ?? [];
  const before = old.spec.cidrs ?? [];
  const isGrown = before.length === 1 && cidrs.length === 2 && cidrs[0] === before[0];
  issues.immutable('spec.cidrs', cidrs, before, isGrown || isDeepStrictEqual(cidrs, before));
  return issues.result();
}

export const ServiceCIDR = kind(ServiceCIDRMessage, {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  namespaced: false,
  subresources: [statusSubresource],
  columns: [
    nameColumn,
    {
      name: 'CIDRs',
      type: 'string',
      doc: 'The ranges, one per IP family.',
      cell: ({ spec }) => (spec.cidrs ?? []).join(','),
    },
    ageColumn,
  ],
  validate: validateServiceCidr,
  validateUpdate: validateServiceCidrUpdate,
});
