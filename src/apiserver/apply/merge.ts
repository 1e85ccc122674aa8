import { isMember, type FieldSet } from './field-set.ts';
import { isGranular, partsByElement, partsOf, valueFrom, type Part, type Shape } from './shape.ts';

/** Lays an applied value over the live one: granular parts merge, leaves are replaced, null says nothing. */
export function mergeApplied(shape: Shape, live: unknown, applied: unknown): unknown {
  if (applied === undefined || applied === null) return live;
  const appliedParts = partsOf(shape, applied);
  if (appliedParts === undefined || !isGranular(shape, live)) return applied;
  const liveParts = partsOf(shape, live) ?? [];
  if (shape?.type.type === 'list') return valueFrom(shape, mergeElements(liveParts, appliedParts));
  const merged = new Map(partsByElement(liveParts));
  for (const part of appliedParts) merged.set(part.element, mergePart(merged.get(part.element), part));
  return valueFrom(shape, merged.values());
}

/** Elements come in the applied order; those that only the live list has stay behind the ones they followed. */
function mergeElements(live: readonly Part[], applied: readonly Part[]): Part[] {
  const liveByElement = partsByElement(live);
  const isApplied = partsByElement(applied);
  const merged: Part[] = [];
  const done = new Set<string>();
  let next = 0;
  for (const part of applied) {
    for (let other = live[next]; other !== undefined && canPass(other); other = live[++next]) {
      if (!isApplied.has(other.element)) merged.push(other);
    }
    merged.push(mergePart(liveByElement.get(part.element), part));
    done.add(part.element);
    if (live[next]?.element === part.element) next++;
  }
  return [...merged, ...live.slice(next).filter(({ element }) => !isApplied.has(element))];

  function canPass({ element }: Part): boolean {
    return done.has(element) || !isApplied.has(element);
  }
}

function mergePart(live: Part | undefined, applied: Part): Part {
  return { ...applied, value: mergeApplied(applied.shape, live?.value, applied.value) };
}

/**
 * Takes out what its applier owned before and nobody owns now. A field counts as owned when anything in it is, a list
 * element only when it is owned itself; what goes takes everything in it along.
 */
export function pruneDropped(shape: Shape, value: unknown, last: FieldSet, owned: FieldSet): unknown {
  const parts = partsOf(shape, value);
  if (parts === undefined) return value;
  const kept: Part[] = [];
  for (const part of parts) {
    const lastNode = last[part.element];
    const ownedNode = owned[part.element];
    if (lastNode === undefined) kept.push(part);
    else if (!isIn(part.element, lastNode) || isIn(part.element, ownedNode)) {
      kept.push({ ...part, value: pruneDropped(part.shape, part.value, lastNode, ownedNode ?? {}) });
    }
  }
  return valueFrom(shape, kept);
}

function isIn(element: string, node: FieldSet | undefined): boolean {
  return node !== undefined && (element.startsWith('f:') || isMember(node));
}
