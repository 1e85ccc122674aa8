import { isDeepStrictEqual } from 'node:util';
import { canonicalIp } from '../../lib/ip.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { kind, message, object, string } from '../declare.ts';
import { Issues } from '../issues.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Checked, Infer } from '../schema.ts';

/** IPAddresses: virtual addresses that are taken. */

export const ParentReference = message(
  'networking.v1.ParentReference',
  {
    group: string(1, { doc: 'Its group.' }),
    resource: string(2, { doc: 'Its resource.' }),
    namespace: string(3, { doc: 'Its namespace.' }),
    name: string(4, { doc: 'Its name.' }),
  },
  { doc: 'An object by resource and name.' },
);
export type ParentReference = Infer<typeof ParentReference>;

export const IPAddressSpec = message(
  'networking.v1.IPAddressSpec',
  {
    parentRef: object(1, ParentReference, { doc: 'The object that uses it. Stays.' }),
  },
  { doc: 'Who has the address.' },
);
export type IPAddressSpec = Infer<typeof IPAddressSpec>;

export const IPAddressMessage = message(
  'networking.v1.IPAddress',
  {
    ...typeMeta,
    metadata,
    spec: object(2, IPAddressSpec, { present: true, doc: 'What the author wants.', pointer: false }),
  },
  { doc: 'A virtual address that is taken. Its name is the address.' },
);
export type IPAddress = Infer<typeof IPAddressMessage>;

function formatParent({ spec }: IPAddress): string {
  const { resource = '', group = '', namespace = '', name = '' } = spec.parentRef ?? {};
  const subject = group === '' ? resource : `${resource}.${group}`;
  return [subject, namespace, name].filter((each) => each !== '').join('/') || '<none>';
}

function canonicalName(name: string): readonly string[] {
  const canonical = canonicalIp(name);
  if (canonical === undefined) return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
  return canonical === name ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
}

function validateIpAddress({ spec }: IPAddress): Checked {
  const issues = new Issues();
  const { parentRef } = spec;
  if (parentRef === undefined) issues.required('spec.parentRef');
  else {
    if ((parentRef.resource ?? '') === '') issues.required('spec.parentRef.resource');
    if ((parentRef.name ?? '') === '') issues.required('spec.parentRef.name');
  }
  return issues.result();
}

function validateIpAddressUpdate({ spec }: IPAddress, old: IPAddress): Checked {
  const issues = new Issues();
  issues.immutable(
    'spec.parentRef',
    spec.parentRef,
    old.spec.parentRef,
    isDeepStrictEqual(spec.parentRef, old.spec.parentRef),
  );
  return issues.result();
}

export const IPAddress = kind(IPAddressMessage, {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  namespaced: false,
  shortNames: ['ip'],
  columns: [
    nameColumn,
    { name: 'ParentRef', type: 'string', doc: 'The object that uses the address.', cell: formatParent },
    ageColumn,
  ],
  validateName: canonicalName,
  validate: validateIpAddress,
  validateUpdate: validateIpAddressUpdate,
});
