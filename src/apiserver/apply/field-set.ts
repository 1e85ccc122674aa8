/**
 * A set of field paths, in the form that objects carry it (FieldsV1, meta/v1): a tree whose edges are path elements
 * (`f:name` a field, `k:{…}` a list element by its keys, `v:…` one of a set by its value). A node without children is a
 * member of the set; one with children is a member when it also has `.`. The root is no member, so that the empty object
 * is the empty set.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

/** The set of nothing; as a node below the root, a member without children. */
export const noFields: FieldSet = Object.freeze({});

/** Makes a node; undefined when it would be in no set. */
export function fieldNode(isMember: boolean, children: Record<string, FieldSet>): FieldSet | undefined {
  for (const _ in children) return isMember ? { '.': noFields, ...children } : children;
  return isMember ? noFields : undefined;
}

/** Is the path to this node (not the root) in the set? */
export function isMember(node: FieldSet): boolean {
  if ('.' in node) return true;
  for (const _ in node) return false;
  return true;
}

/** Is nothing in the set? */
export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** What is in either. */
export function unionOf(left: FieldSet, right: FieldSet): FieldSet {
  return combineRoots(left, right, (inLeft, inRight) => inLeft || inRight);
}

/** What is in the left and not in the right. */
export function differenceOf(left: FieldSet, right: FieldSet): FieldSet {
  return combineRoots(left, right, (inLeft, inRight) => inLeft && !inRight);
}

/** What is in both. */
export function intersectionOf(left: FieldSet, right: FieldSet): FieldSet {
  return combineRoots(left, right, (inLeft, inRight) => inLeft && inRight);
}

/** Are the same paths in both? */
export function sameSet(left: FieldSet, right: FieldSet): boolean {
  return isEmptySet(combineRoots(left, right, (inLeft, inRight) => inLeft !== inRight));
}

/** The set without these fields of the root and everything below them, each a list of field names. */
export function withoutFields(set: FieldSet, paths: readonly (readonly string[])[]): FieldSet {
  return paths.reduce((rest, path) => withoutPath(rest, path) ?? noFields, set);
}

/** The paths in the set, each as its elements, in the order of the tree. */
export function* membersOf(set: FieldSet, parent: readonly string[] = []): Generator<readonly string[]> {
  for (const [element, node] of Object.entries(set)) {
    if (element === '.') continue;
    const path = [...parent, element];
    if (isMember(node)) yield path;
    yield* membersOf(node, path);
  }
}

type Keep = (inLeft: boolean, inRight: boolean) => boolean;

function combineRoots(left: FieldSet, right: FieldSet, keep: Keep): FieldSet {
  return fieldNode(false, combineChildren(left, right, keep)) ?? noFields;
}

function combine(left: FieldSet | undefined, right: FieldSet | undefined, keep: Keep): FieldSet | undefined {
  if (left === undefined) return keep(false, true) ? right : undefined;
  if (right === undefined) return keep(true, false) ? left : undefined;
  return fieldNode(keep(isMember(left), isMember(right)), combineChildren(left, right, keep));
}

function combineChildren(left: FieldSet, right: FieldSet, keep: Keep): Record<string, FieldSet> {
  const children: Record<string, FieldSet> = {};
  for (const element in left) {
    const node = element === '.' ? undefined : combine(left[element], right[element], keep);
    if (node !== undefined) children[element] = node;
  }
  for (const element in right) {
    const node = element === '.' || element in left ? undefined : combine(undefined, right[element], keep);
    if (node !== undefined) children[element] = node;
  }
  return children;
}

/** A node that loses its last child goes too, as it would be read as a member. */
function withoutPath(set: FieldSet, [name, ...rest]: readonly string[]): FieldSet | undefined {
  const element = `f:${name}`;
  const node = set[element];
  if (node === undefined) return set;
  const { [element]: _, ...others } = set;
  const remaining = rest.length === 0 ? undefined : withoutPath(node, rest);
  if (remaining !== undefined) return { ...others, [element]: remaining };
  return isEmptySet(others) ? undefined : others;
}
