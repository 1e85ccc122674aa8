import { isDeepStrictEqual } from 'node:util';
import { combine, Issues } from './issues.ts';
import type { ApiObject, ObjectMeta, OwnerReference } from './meta/object-meta.ts';
import { dnsLabel, dnsSubdomain, labelValue, nameRule, qualifiedName } from './names.ts';
import type { Checked, Kind, ValidationContext } from './schema.ts';

/** The rules that all objects obey: metadata. The kind's own rules are called from here too. */

const annotationLimitBytes = 256 * 1024;
const ownFinalizers = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);
const nameOfSubdomain = nameRule(dnsSubdomain);

function checkNames(issues: Issues, kind: Kind, meta: ObjectMeta): void {
  const rule = kind.validateName ?? nameOfSubdomain;
  const { name = '', generateName = '', namespace = '' } = meta;
  if (generateName !== '') issues.invalidAll('metadata.generateName', generateName, rule(generateName, true));
  if (name !== '') issues.invalidAll('metadata.name', name, rule(name, false));
  else if (generateName === '') issues.required('metadata.name', 'name or generateName is required');
  if (!kind.namespaced) {
    if (namespace !== '') issues.forbidden('metadata.namespace', 'not allowed on this type');
  } else if (namespace === '') issues.required('metadata.namespace');
  else issues.invalidAll('metadata.namespace', namespace, dnsLabel(namespace));
}

/** The rules of labels: keys are qualified names, values are short. */
export function checkLabels(issues: Issues, path: string, labels: Readonly<Record<string, string>> | undefined): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    issues.invalidAll(path, key, qualifiedName(key));
    issues.invalidAll(path, value, labelValue(value));
  }
}

/** The rules of annotations: keys are qualified names in any case, 256 KiB in total. */
export function checkAnnotations(
  issues: Issues,
  path: string,
  annotations: Readonly<Record<string, string>> | undefined,
): void {
  let total = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    issues.invalidAll(path, key, qualifiedName(key.toLowerCase()));
    total += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (total > annotationLimitBytes) issues.tooLong(path, annotationLimitBytes);
}

function checkOwner(issues: Issues, path: string, owner: OwnerReference): void {
  if (owner.apiVersion === '') issues.invalid(`${path}.apiVersion`, owner.apiVersion, 'version must not be empty');
  for (const field of ['kind', 'name', 'uid'] as const) {
    if ((owner[field] ?? '') === '') issues.invalid(`${path}.${field}`, owner[field] ?? '', 'must not be empty');
  }
  if (owner.kind === 'Event' && (owner.apiVersion === 'v1' || owner.apiVersion.startsWith('events.k8s.io/'))) {
    const group = owner.apiVersion === 'v1' ? '/v1' : owner.apiVersion;
    issues.invalid(path, owner, `${group}, Kind=Event is disallowed from being an owner`);
  }
}

function checkOwners(issues: Issues, owners: readonly OwnerReference[]): void {
  const path = 'metadata.ownerReferences';
  for (const [index, owner] of owners.entries()) checkOwner(issues, `${path}[${index}]`, owner);
  const [first, second] = owners.filter((owner) => owner.controller === true);
  if (first === undefined || second === undefined) return;
  const names = `${first.name} and ${second.name}`;
  const message = `Only one reference can have Controller set to true. Found "true" in references for ${names}`;
  issues.invalid(path, owners, message);
}

function checkFinalizers(issues: Issues, finalizers: readonly string[]): void {
  for (const [index, finalizer] of finalizers.entries()) {
    const path = `metadata.finalizers[${index}]`;
    issues.invalidAll(path, finalizer, qualifiedName(finalizer));
    if (!finalizer.includes('/') && !ownFinalizers.has(finalizer)) {
      issues.invalid(path, finalizer, 'name is neither a standard finalizer name nor is it fully qualified');
    }
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    issues.invalid('metadata.finalizers', finalizers, 'finalizer orphan and foregroundDeletion cannot be both set');
  }
}

function checkMetadata(kind: Kind, object: ApiObject): Checked {
  const issues = new Issues();
  const meta = object.metadata;
  checkNames(issues, kind, meta);
  checkLabels(issues, 'metadata.labels', meta.labels);
  checkAnnotations(issues, 'metadata.annotations', meta.annotations);
  checkOwners(issues, meta.ownerReferences ?? []);
  checkFinalizers(issues, meta.finalizers ?? []);
  return issues.result();
}

function checkMetadataChange(meta: ObjectMeta, old: ObjectMeta): Checked {
  const issues = new Issues();
  for (const field of ['name', 'namespace', 'uid', 'creationTimestamp'] as const) {
    issues.immutable(`metadata.${field}`, meta[field], old[field], meta[field] === old[field]);
  }
  if (old.deletionTimestamp !== undefined) {
    const added = (meta.finalizers ?? []).filter((each) => !(old.finalizers ?? []).includes(each));
    const shown = `[]string{${added.map((each) => JSON.stringify(each)).join(', ')}}`;
    const message = `no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`;
    if (added.length > 0) issues.forbidden('metadata.finalizers', message);
  }
  return issues.result();
}

/** Is the new object fit to be stored? Names, labels and everything the kind demands. */
export function validateCreate<T extends ApiObject>(kind: Kind<T>, object: T, context: ValidationContext): Checked {
  return combine(checkMetadata(kind, object), kind.validate?.(object, context));
}

/** Is the changed object fit to replace the old one? `context.subresource` says which part was written. */
export function validateUpdate<T extends ApiObject>(
  kind: Kind<T>,
  object: T,
  old: T,
  context: ValidationContext,
): Checked {
  const change = checkMetadataChange(object.metadata, old.metadata);
  const metadata = isDeepStrictEqual(object.metadata, old.metadata) ? undefined : checkMetadata(kind, object);
  return combine(metadata, change, kind.validate?.(object, context), kind.validateUpdate?.(object, old, context));
}
