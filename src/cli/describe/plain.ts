import type { ConfigMap } from '../../api/core/config-map.ts';
import type { Namespace } from '../../api/core/namespace.ts';
import type { Secret } from '../../api/core/secret.ts';
import type { AnyObject } from '../objects/rest.ts';
import { conditionTable, identity } from './common.ts';
import type { Fields, FieldValue } from './fields.ts';

/** A Namespace. */
export function describeNamespace(namespace: AnyObject & Namespace, nowMs: number): Fields {
  const { conditions = [], phase } = namespace.status ?? {};
  const finalizers = namespace.spec?.finalizers ?? [];
  return [
    ...identity(namespace),
    ['Phase', phase ?? 'Active'],
    ['Finalizers', finalizers],
    ['Conditions', conditions.length === 0 ? undefined : conditionTable(conditions, nowMs)],
  ];
}

/** A ConfigMap with its values. */
export function describeConfigMap(map: AnyObject & ConfigMap): Fields {
  const binary = Object.entries(map.binaryData ?? {}).map(([key, value]) => [key, sizeText(value)] as const);
  const data = Object.entries(map.data ?? {}).map(([key, value]) => [key, value.trimEnd().split('\n')] as const);
  return [...identity(map), ['Data', data], ['Binary data', binary.length === 0 ? undefined : binary]];
}

/** A Secret: how long its values are, never the values. */
export function describeSecret(secret: AnyObject & Secret): Fields {
  const data = Object.entries(secret.data ?? {}).map(([key, value]) => [key, sizeText(value)] as const);
  return [...identity(secret), ['Type', secret.type ?? 'Opaque'], ['Data', data]];
}

function sizeText(base64: string): string {
  return `${Buffer.from(base64, 'base64').length} bytes`;
}

/** Any kind: every field below the metadata, by its name. */
export function describeAnything(object: AnyObject): Fields {
  const { apiVersion, kind, metadata: _, ...rest } = object;
  const fields = Object.entries(rest).map(([name, value]) => [title(name), fieldValue(value)] as const);
  return [...identity(object), ['API version', apiVersion], ['Kind', kind], ...fields];
}

function fieldValue(value: unknown): FieldValue {
  if (Array.isArray(value)) return listValue(value);
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value).map(([name, inner]) => [title(name), fieldValue(inner)] as const);
}

function listValue(list: readonly unknown[]): FieldValue {
  const simple = list.every((item) => typeof item !== 'object' || item === null);
  return simple ? list.map(String) : list.map((item, i) => [String(i + 1), fieldValue(item)] as const);
}

/** `podCIDRs` to `Pod CIDRs`. */
function title(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
