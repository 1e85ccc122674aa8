import { isJsonObject, ownField } from '../../lib/json.ts';

/** What identifies an element of a list: its merge key's value, or the scalar itself. Two are equal as JSON text. */
export type ElementKey = (element: unknown) => string | undefined;

/** How elements of a list with that merge key (none: of scalars) are told apart. */
export function elementKey(mergeKey: string | undefined): ElementKey {
  if (mergeKey === undefined) return (element) => JSON.stringify(element);
  return (element) => {
    const value = isJsonObject(element) ? ownField(element, mergeKey) : undefined;
    return value === undefined ? undefined : JSON.stringify(value);
  };
}

/**
 * Orders a merged list: the elements that the client names come in its order, the others keep their places relative to
 * them as far as the server's list tells, and come later where it does not.
 */
export function orderBy(
  list: readonly unknown[],
  order: readonly unknown[],
  serverOrder: readonly unknown[],
  keyOf: ElementKey,
): unknown[] {
  const clientRank = ranks(order, keyOf);
  const serverRank = ranks(serverOrder, keyOf);
  const rank = (ranking: ReadonlyMap<string, number>, element: unknown): number =>
    ranking.get(keyOf(element) ?? '') ?? -1;
  const named = list.filter((element) => rank(clientRank, element) >= 0);
  const others = list.filter((element) => rank(clientRank, element) < 0);
  named.sort((a, b) => rank(clientRank, a) - rank(clientRank, b));
  others.sort((a, b) => rank(serverRank, a) - rank(serverRank, b));
  return interleave(others, named, (other, one) => isBefore(rank(serverRank, other), rank(serverRank, one)));
}

function isBefore(left: number, right: number): boolean {
  return left >= 0 && right >= 0 && left < right;
}

function ranks(list: readonly unknown[], keyOf: ElementKey): Map<string, number> {
  const result = new Map<string, number>();
  for (const [at, element] of list.entries()) {
    const key = keyOf(element);
    if (key !== undefined && !result.has(key)) result.set(key, at);
  }
  return result;
}

function interleave<T>(left: readonly T[], right: readonly T[], isLeftFirst: (left: T, right: T) => boolean): T[] {
  const result: T[] = [];
  let at = 0;
  for (const element of right) {
    for (let other = left[at]; other !== undefined && isLeftFirst(other, element); other = left[++at])
      result.push(other);
    result.push(element);
  }
  return [...result, ...left.slice(at)];
}
