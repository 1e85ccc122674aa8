import { ageColumn, nameColumn } from '../columns.ts';
import { bool, kind, list, message } from '../declare.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Infer } from '../schema.ts';
import { LocalObjectReference, ObjectReference } from './references.ts';

/** ServiceAccounts: who programs are to the API server. */

export const ServiceAccountMessage = message(
  'core.v1.ServiceAccount',
  {
    ...typeMeta,
    metadata,
    secrets: list(2, ObjectReference, {
      doc: 'Secrets its Pods may use.',
      mergeKey: 'name',
      listType: 'map',
      mapKeys: ['name'],
    }),
    imagePullSecrets: list(3, LocalObjectReference, { doc: 'Secrets to fetch images with.' }),
    automountServiceAccountToken: bool(4, { doc: 'Whether containers find a token.', pointer: true }),
  },
  { doc: 'Who a program is to the API server.' },
);
export type ServiceAccount = Infer<typeof ServiceAccountMessage>;

export const ServiceAccount = kind(ServiceAccountMessage, {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  namespaced: true,
  shortNames: ['sa'],
  subresources: [
    { name: 'token', verbs: ['create'], kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' } },
  ],
  columns: [
    nameColumn,
    {
      name: 'Secrets',
      type: 'string',
      doc: 'How many Secrets it lists.',
      cell: (account) => account.secrets?.length ?? 0,
    },
    ageColumn,
  ],
});
