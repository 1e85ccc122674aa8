import { ageColumn, nameColumn } from '../columns.ts';
import { bool, kind, map, message, string } from '../declare.ts';
import { combine, Issues } from '../issues.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import { compact, omit } from '../objects.ts';
import type { Checked, Infer } from '../schema.ts';
import { checkData, checkDataChange, countEntries } from './data-validation.ts';

/** Secrets: as ConfigMaps, for what not everybody may see. */

export const SecretMessage = message(
  'core.v1.Secret',
  {
    ...typeMeta,
    metadata,
    immutable: bool(5, { doc: 'True: the content stays; cannot be undone.', pointer: true }),
    data: map(2, 'bytes', { doc: 'Bytes by name, in base64.' }),
    stringData: map(4, 'string', { doc: 'Texts by name, for writing only: they end up in `data`.' }),
    type: string(3, { doc: 'What the entries mean. Stays.' }),
  },
  { doc: 'As a ConfigMap, for what must not be seen by everybody.' },
);
export type Secret = Infer<typeof SecretMessage>;

/** Moves `stringData`, which is write-only, into `data`. */
function defaultSecret(secret: Secret): Secret {
  const typed = secret.type === undefined ? { ...secret, type: 'Opaque' } : secret;
  if (typed.stringData === undefined) return typed;
  const entries = Object.entries(typed.stringData);
  const encoded = entries.map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return compact({ ...omit(typed, 'stringData'), data: { ...typed.data, ...Object.fromEntries(encoded) } });
}

const neededKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};
const accountAnnotation = 'kubernetes.io/service-account.name';

function checkSecretType(secret: Secret): Checked {
  const issues = new Issues();
  const { type = 'Opaque', data = {} } = secret;
  for (const key of neededKeys[type] ?? []) if (!Object.hasOwn(data, key)) issues.required(`data[${key}]`);
  if (type === 'kubernetes.io/basic-auth' && data['username'] === undefined && data['password'] === undefined) {
    issues.required('data[username]');
    issues.required('data[password]');
  }
  if (type === 'kubernetes.io/service-account-token' && !secret.metadata.annotations?.[accountAnnotation]) {
    issues.required(`metadata.annotations[${accountAnnotation}]`);
  }
  return issues.result();
}

function checkTypeChange(secret: Secret, old: Secret): Checked {
  const issues = new Issues();
  issues.immutable('type', secret.type, old.type, secret.type === old.type);
  return issues.result();
}

export const Secret = kind(SecretMessage, {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  columns: [
    nameColumn,
    { name: 'Type', type: 'string', doc: 'What its entries mean.', cell: (secret) => secret.type ?? 'Opaque' },
    { name: 'Data', type: 'string', doc: 'How many entries it has.', cell: (secret) => countEntries(secret.data) },
    ageColumn,
  ],
  selectableFields: { type: (secret) => secret.type ?? 'Opaque' },
  setDefaults: defaultSecret,
  validate: (secret) => combine(checkData(secret), checkSecretType(secret)),
  validateUpdate: (secret, old) => combine(checkDataChange(secret, old), checkTypeChange(secret, old)),
});
