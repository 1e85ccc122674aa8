import { sameJson } from '../../lib/json.ts';
import { fieldNode, noFields, type FieldSet } from './field-set.ts';
import { isGranular, partAt, partsByElement, partsOf, type Part, type Shape } from './shape.ts';

/** Which paths a change adds, modifies and removes. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

type Outcome = { readonly [name in keyof Comparison]: FieldSet | undefined };

const unchanged: Outcome = { added: undefined, modified: undefined, removed: undefined };

/** Compares two objects of a shape, part by part. */
export function compareObjects(shape: Shape, left: unknown, right: unknown): Comparison {
  const { added, modified, removed } = compare(shape, left ?? {}, right ?? {});
  return { added: added ?? noFields, modified: modified ?? noFields, removed: removed ?? noFields };
}

/** The paths of all leaves of a value, of its list elements and of empty objects: what a client owns that applies it. */
export function fieldSetOf(shape: Shape, value: unknown): FieldSet {
  return leavesOf(shape, value) ?? noFields;
}

function leavesOf(shape: Shape, value: unknown): FieldSet | undefined {
  const parts = partsOf(shape, value);
  if (parts === undefined) return noFields;
  const children: Record<string, FieldSet> = {};
  const isList = shape?.type.type === 'list';
  for (const part of parts) {
    const node = leavesOf(part.shape, part.value);
    if (node !== undefined) children[part.element] = isList ? memberNode(node) : node;
  }
  return fieldNode(!isList && parts.length === 0, children);
}

function memberNode(node: FieldSet): FieldSet {
  return fieldNode(true, { ...node }) ?? noFields;
}

/** A value and everything in it. On the path of every create: it builds nothing but the set. */
function allOf(shape: Shape, value: unknown): FieldSet {
  if (shape === undefined || !isGranular(shape, value)) return noFields;
  const children: Record<string, FieldSet> = { '.': noFields };
  let isEmpty = true;
  for (const name in value) {
    const part = partAt(shape, value, name);
    if (part === undefined) continue;
    children[part.element] = allOf(part.shape, part.value);
    isEmpty = false;
  }
  return isEmpty ? noFields : children;
}

function compare(shape: Shape, left: unknown, right: unknown): Outcome {
  if (left === right) return unchanged;
  const before = left ?? implied(shape, right);
  const after = right ?? implied(shape, left);
  if (before === undefined) return { ...unchanged, added: allOf(shape, after) };
  if (after === undefined) return { ...unchanged, removed: allOf(shape, before) };
  const leftParts = partsOf(shape, before);
  const rightParts = partsOf(shape, after);
  if (leftParts !== undefined && rightParts !== undefined) return compareParts(leftParts, rightParts);
  return sameJson(before, after) ? unchanged : { ...unchanged, modified: noFields };
}

/**
 * What stands for an absent value. In the API server's typed objects, structs that are no pointers and lists that are
 * always written exist even when they are empty, so that filling them does not add them, only what is in them.
 */
function implied(shape: Shape, other: unknown): unknown {
  if (shape?.pointer === false && shape.type.type === 'object') return {};
  return shape?.required === true && Array.isArray(other) ? [] : undefined;
}

function compareParts(left: readonly Part[], right: readonly Part[]): Outcome {
  if (left.length === 0) return { ...unchanged, added: addedParts(right) };
  const sets: Record<keyof Comparison, Record<string, FieldSet>> = { added: {}, modified: {}, removed: {} };
  const before = partsByElement(left);
  const after = partsByElement(right);
  const note = (element: string, outcome: Outcome): void => {
    if (outcome.added !== undefined) sets.added[element] = outcome.added;
    if (outcome.modified !== undefined) sets.modified[element] = outcome.modified;
    if (outcome.removed !== undefined) sets.removed[element] = outcome.removed;
  };
  for (const { element, value, shape } of after.values()) {
    note(element, compare(shape, before.get(element)?.value, value));
  }
  for (const { element, value, shape } of before.values()) {
    if (!after.has(element)) note(element, compare(shape, value, undefined));
  }
  return {
    added: fieldNode(false, sets.added),
    modified: fieldNode(false, sets.modified),
    removed: fieldNode(false, sets.removed),
  };
}

function addedParts(parts: readonly Part[]): FieldSet | undefined {
  const added: Record<string, FieldSet> = {};
  for (const { element, value, shape } of parts) {
    const node = compare(shape, undefined, value).added;
    if (node !== undefined) added[element] = node;
  }
  return fieldNode(false, added);
}
