import type { ManagedFieldsEntry } from '../../api/meta/object-meta.ts';
import { isJsonObject } from '../../lib/json.ts';
import { isEmptySet, noFields, unionOf, type FieldSet } from './field-set.ts';

/** Who wrote, and how. Two writers are the same manager when all of it is equal. */
export interface ManagerId {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
}

/** A manager and the fields it owns. `time` (RFC 3339) is when that changed last. */
export interface Manager extends ManagerId {
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

/** The managers of an object by `idOf`. */
export type Managers = ReadonlyMap<string, Manager>;

const MOST_UPDATE_MANAGERS = 10;
const ANCIENT_CHANGES = 'ancient-changes';

/** The key of a manager in `Managers`. */
export function idOf({ manager, operation, apiVersion, subresource }: ManagerId): string {
  return JSON.stringify([manager, operation, apiVersion, subresource]);
}

/** Reads managed fields; undefined when an entry is malformed. */
export function parseManagers(entries: readonly ManagedFieldsEntry[] | undefined): Managers | undefined {
  const managers = new Map<string, Manager>();
  for (const entry of entries ?? []) {
    const manager = parseManager(entry);
    if (manager === undefined) return undefined;
    managers.set(idOf(manager), manager);
  }
  return managers;
}

function parseManager(entry: ManagedFieldsEntry): Manager | undefined {
  const { manager = '', operation, apiVersion = '', subresource = '', time, fieldsType, fieldsV1 = noFields } = entry;
  if (operation !== 'Apply' && operation !== 'Update') return undefined;
  if (fieldsType !== 'FieldsV1' || !isFieldSet(fieldsV1)) return undefined;
  return { manager, operation, apiVersion, subresource, time, fields: fieldsV1 };
}

function isFieldSet(value: unknown): value is FieldSet {
  return isJsonObject(value) && Object.values(value).every(isFieldSet);
}

/** Writes managed fields: Apply before Update, oldest first, as the API server orders them. Empty ones are left out. */
export function formatManagers(managers: Managers): ManagedFieldsEntry[] {
  const kept = [...managers.values()].filter(({ fields }) => !isEmptySet(fields));
  return kept.sort(compareManagers).map(({ manager, operation, apiVersion, time, fields, subresource }) => ({
    manager,
    operation,
    apiVersion,
    ...(time !== undefined && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
    ...(subresource !== '' && { subresource }),
  }));
}

/** Merges the oldest updates into one entry when more managers than Kubernetes keeps have updated the object. */
export function capManagers(managers: Managers): Managers {
  const updates = [...managers.values()].filter(({ operation }) => operation === 'Update').sort(compareManagers);
  if (updates.length <= MOST_UPDATE_MANAGERS) return managers;
  const capped = new Map(managers);
  for (const old of updates.slice(0, updates.length - MOST_UPDATE_MANAGERS + 1)) {
    capped.delete(idOf(old));
    const ancient: ManagerId = { ...old, manager: ANCIENT_CHANGES };
    const fields = unionOf(capped.get(idOf(ancient))?.fields ?? noFields, old.fields);
    capped.set(idOf(ancient), { ...ancient, time: old.time, fields });
  }
  return capped;
}

function compareManagers(left: Manager, right: Manager): number {
  return (
    compareText(left.operation, right.operation) ||
    compareText(left.time ?? '', right.time ?? '') ||
    compareText(left.manager, right.manager) ||
    compareText(left.apiVersion, right.apiVersion) ||
    compareText(left.subresource, right.subresource)
  );
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
