import type { ApiObject, ManagedFieldsEntry } from '../../api/meta/object-meta.ts';
import type { Kind } from '../../api/schema.ts';
import type { JsonObject } from '../../lib/json.ts';
import { compareObjects, type Comparison } from './compare.ts';
import { differenceOf, isEmptySet, unionOf, withoutFields, type FieldSet } from './field-set.ts';
import {
  capManagers,
  formatManagers,
  idOf,
  parseManagers,
  type Manager,
  type ManagerId,
  type Managers,
} from './managers.ts';
import { shapeOf } from './shape.ts';

/** Who makes a change, and when. */
export interface Writer {
  /** The `fieldManager` of the request. */
  readonly manager: string;
  /** RFC 3339 with seconds. */
  readonly time: string;
  /** `status`, `scale`…; unset for the object itself. */
  readonly subresource?: string;
}

/** Metadata that nobody owns: identity and what the server sets by itself. */
const unownedMetadata = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'generation',
  'managedFields',
  'resourceVersion',
]);

/**
 * The managed fields of an object after a create or update (PUT, POST, or a patch other than apply): the writer owns
 * what it changed, others lose it. Call it on the defaulted object, before the server fills in what no client asked for.
 *
 * `object.metadata.managedFields` is what the client sent: a list with one empty entry (`[{}]`) resets, a well-formed one
 * is taken (not through a subresource), anything else leaves what `old` has. An object whose managed fields were reset is
 * not tracked again until somebody applies it.
 */
export function trackUpdate(
  kind: Kind,
  old: ApiObject | undefined,
  object: ApiObject,
  writer: Writer,
): readonly ManagedFieldsEntry[] {
  const before = managersBefore(old, object, writer);
  if (before.size === 0 && old !== undefined) return [];
  const { comparison, managers } = takeOver(kind, old, object, before, writer);
  const owned = unionOf(comparison.added, comparison.modified);
  if (isEmptySet(owned)) return formatManagers(managers);
  const id: ManagerId = { ...managerOf(kind, writer), operation: 'Update' };
  const mine = before.get(idOf(id))?.fields;
  const fields = mine === undefined ? owned : unionOf(differenceOf(mine, comparison.removed), owned);
  return formatManagers(capManagers(new Map(managers).set(idOf(id), { ...id, time: writer.time, fields })));
}

/** The manager a writer is, but for the operation. */
export function managerOf(kind: Kind, { manager, subresource = '' }: Writer): Omit<ManagerId, 'operation'> {
  return { manager, apiVersion: kind.apiVersion, subresource };
}

/** The fields that a resource does not write: its status, or all but its status. */
function unwrittenFields(kind: Kind, subresource: string | undefined): ReadonlySet<string> {
  const isStatus = subresource === 'status';
  const unwritten = isStatus ? 'spec' : kind.hasStatus && subresource === undefined ? 'status' : 'kind';
  return new Set(['apiVersion', 'kind', unwritten]);
}

/** The object without what nobody may own through this resource. */
export function ownedPart<T extends ApiObject>(kind: Kind<T>, object: T, subresource?: string): JsonObject {
  const unwritten = unwrittenFields(kind, subresource);
  const metadata = Object.entries(object.metadata).filter(([name]) => !unownedMetadata.has(name));
  const rest = Object.entries(object).filter(([name]) => name !== 'metadata' && !unwritten.has(name));
  return { ...Object.fromEntries(rest), ...(metadata.length > 0 && { metadata: Object.fromEntries(metadata) }) };
}

/** The set without the deeper fields that the kind keeps from the owners of its main resource. */
export function withoutResetFields(kind: Kind, set: FieldSet, subresource?: string): FieldSet {
  if (subresource !== undefined || kind.resetFields === undefined) return set;
  return withoutFields(
    set,
    kind.resetFields.map((path) => path.split('.').filter((name) => name !== '')),
  );
}

/** How two objects differ, but for what nobody may own. */
export function compareOwned(
  kind: Kind,
  old: ApiObject | undefined,
  object: ApiObject,
  subresource?: string,
): Comparison {
  const before = old === undefined ? undefined : ownedPart(kind, old, subresource);
  const { added, modified, removed } = compareObjects(shapeOf(kind), before, ownedPart(kind, object, subresource));
  return {
    added: withoutResetFields(kind, added, subresource),
    modified: withoutResetFields(kind, modified, subresource),
    removed: withoutResetFields(kind, removed, subresource),
  };
}

/** Takes from every manager what the change sets or removes. */
function takeOver(
  kind: Kind,
  old: ApiObject | undefined,
  object: ApiObject,
  managers: Managers,
  { subresource }: Writer,
): { readonly comparison: Comparison; readonly managers: Managers } {
  const comparison = compareOwned(kind, old, object, subresource);
  const lost = unionOf(unionOf(comparison.added, comparison.modified), comparison.removed);
  return { comparison, managers: isEmptySet(lost) ? managers : withoutOwned(managers, lost) };
}

/** The managers without these fields. */
export function withoutOwned(managers: Managers, lost: FieldSet): Managers {
  const entries = [...managers].map(([id, manager]): [string, Manager] => {
    return [id, { ...manager, fields: differenceOf(manager.fields, lost) }];
  });
  return new Map(entries.filter(([, { fields }]) => !isEmptySet(fields)));
}

function managersBefore(old: ApiObject | undefined, object: ApiObject, { subresource }: Writer): Managers {
  const live = (): Managers => parseManagers(old?.metadata.managedFields) ?? new Map();
  const sent = object.metadata.managedFields ?? [];
  if (subresource !== undefined || sent === old?.metadata.managedFields) return live();
  const isReset = sent.length === 1 && Object.keys(sent[0] ?? {}).length === 0;
  if (isReset) return new Map();
  const managers = parseManagers(sent);
  return managers === undefined || managers.size === 0 ? live() : managers;
}
