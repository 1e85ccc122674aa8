import { badRequest } from '../../api/errors.ts';
import type { ApiObject, ManagedFieldsEntry } from '../../api/meta/object-meta.ts';
import type { StatusCause } from '../../api/meta/status.ts';
import type { Kind } from '../../api/schema.ts';
import { isJsonObject, sameJson, type JsonObject } from '../../lib/json.ts';
import { fieldSetOf } from './compare.ts';
import { intersectionOf, membersOf, noFields, sameSet, unionOf, type FieldSet } from './field-set.ts';
import { formatManagers, idOf, parseManagers, type Manager, type ManagerId, type Managers } from './managers.ts';
import { mergeApplied, pruneDropped } from './merge.ts';
import { showPath } from './path-element.ts';
import { checkDistinct, shapeOf } from './shape.ts';
import {
  compareOwned,
  managerOf,
  ownedPart,
  trackUpdate,
  withoutOwned,
  withoutResetFields,
  type Writer,
} from './update.ts';

/** Who applies, and whether it takes over fields that others own. */
export interface Applier extends Writer {
  readonly force: boolean;
}

export type ApplyResult<T> =
  /** The object with its new managed fields. `isChanged` is false when it is exactly the live one. */
  | { readonly type: 'merged'; readonly object: T; readonly isChanged: boolean }
  /** Others own fields that the applier sets to something else; one cause a field. */
  | { readonly type: 'conflicts'; readonly causes: readonly StatusCause[] };

/**
 * Server-side apply (KEP-555): merges what a client applies into the live object (undefined: there is none yet), takes
 * out what it applied before and does not now unless somebody else owns it, and keeps account of who owns which field.
 * Default, admit and validate the result afterwards.
 *
 * @throws ApiError 400 when the applied object has managed fields, or a list has the same element twice
 */
export function applyPatch<T extends ApiObject>(
  kind: Kind<T>,
  live: T | undefined,
  applied: T,
  applier: Applier,
): ApplyResult<T> {
  if ((applied.metadata.managedFields ?? []).length > 0) throw badRequest('metadata.managedFields must be nil');
  const shape = shapeOf(kind);
  checkDistinct(shape, applied);
  const id: ManagerId = { ...managerOf(kind, applier), operation: 'Apply' };
  const before = managersOf(kind, live, applier);
  const last = before.get(idOf(id));
  const named = fieldSetOf(shape, applied);
  const owned = fieldSetOf(shape, ownedPart(kind, applied, applier.subresource));
  const fields = withoutResetFields(kind, owned, applier.subresource);
  const mine: Manager = { ...id, time: last?.time, fields };
  const claimed = new Map(before).set(idOf(id), mine);
  const bare = live === undefined ? undefined : withoutManagedFields(live);
  const merged = mergeApplied(shape, bare ?? {}, applied);
  const object = asObject<T>(pruneDropped(shape, merged, last?.fields ?? noFields, unionOf(named, allOwned(claimed))));
  return settle(kind, { live, bare, object, claimed, mine, last }, applier);
}

interface Claim<T> {
  readonly live: T | undefined;
  /** The live object without managed fields. */
  readonly bare: T | undefined;
  readonly object: T;
  /** All managers, the applier with what it wants to own. */
  readonly claimed: Managers;
  readonly mine: Manager;
  readonly last: Manager | undefined;
}

/** Finds the conflicts of a claim, or gives the applier what it claims. */
function settle<T extends ApiObject>(kind: Kind<T>, claim: Claim<T>, applier: Applier): ApplyResult<T> {
  const { live, bare, object, claimed, mine, last } = claim;
  const comparison = compareOwned(kind, bare, object, applier.subresource);
  const changed = unionOf(comparison.added, comparison.modified);
  const others = new Map([...claimed].filter(([id]) => id !== idOf(mine)));
  const causes = applier.force ? [] : conflictsOf(others, changed);
  if (causes.length > 0) return { type: 'conflicts', causes };
  const isSame =
    live !== undefined && sameJson(bare, object) && last !== undefined && sameSet(last.fields, mine.fields);
  if (isSame) return { type: 'merged', object: live, isChanged: false };
  const remaining = withoutOwned(others, unionOf(changed, comparison.removed));
  const managers = new Map(remaining).set(idOf(mine), { ...mine, time: applier.time });
  return { type: 'merged', object: withManagedFields(object, formatManagers(managers)), isChanged: true };
}

/** An object that was never tracked is taken to be somebody's work, so that applying does not silently overrule it. */
function managersOf<T extends ApiObject>(kind: Kind<T>, live: T | undefined, { time }: Applier): Managers {
  const known = parseManagers(live?.metadata.managedFields) ?? new Map<string, Manager>();
  if (live === undefined || known.size > 0) return known;
  const writer = { manager: 'before-first-apply', time: live.metadata.creationTimestamp ?? time };
  return parseManagers(trackUpdate(kind, undefined, withoutManagedFields(live), writer)) ?? known;
}

function allOwned(managers: Managers): FieldSet {
  return [...managers.values()].reduce((owned, { fields }) => unionOf(owned, fields), noFields);
}

function conflictsOf(others: Managers, changed: FieldSet): StatusCause[] {
  return [...others.values()].flatMap((other) => {
    const message = `conflict with ${showManager(other)}`;
    const paths = membersOf(intersectionOf(other.fields, changed));
    return Array.from(paths, (path) => ({ reason: 'FieldManagerConflict', message, field: showPath(path) }));
  });
}

function showManager({ manager, operation, apiVersion, subresource }: ManagerId): string {
  const name = JSON.stringify(manager);
  const through = subresource === '' ? name : `${name} with subresource ${JSON.stringify(subresource)}`;
  return operation === 'Update' ? `${through} using ${apiVersion}` : through;
}

function withoutManagedFields<T extends ApiObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function withManagedFields<T extends ApiObject>(object: T, managedFields: readonly ManagedFieldsEntry[]): T {
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

/** Merging and pruning keep the kind of what they are given. */
function asObject<T extends ApiObject>(value: unknown): T {
  if (!isJsonObject(value) || !hasMetadata(value)) throw badRequest('the applied object has no metadata');
  return value as JsonObject & T;
}

function hasMetadata(value: JsonObject): boolean {
  return isJsonObject(value['metadata']);
}
