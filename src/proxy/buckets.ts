/**
 * Buckets: a new connection draws one of a frontend's buckets at random, and each bucket belongs to one backend. A
 * backend's share is how many buckets it has. Pure; backends are named by any stable text.
 */

/** A backend and its relative share. */
export interface Share {
  readonly name: string;
  /** A whole number or a fraction; 0 or less gets no bucket. */
  readonly weight: number;
}

/** No frontend has more buckets: a bucket's number must fit below the flag that marks the outside ones. */
export const bucketLimit = 0x8000;

/** Weighted shares are rounded to this many buckets a backend on average when they have no small common divisor. */
const bucketsPerBackend = 16;

/**
 * Gives every share its buckets. Equal weights get one each, so a draw is exactly even; other weights get buckets in
 * proportion. Buckets that may keep their owner do: adding a backend changes only the buckets it receives, and removing
 * one changes only its own and those past the new end.
 */
export function fillBuckets(previous: readonly string[], shares: readonly Share[]): string[] {
  const [first] = shares;
  const isEven = first !== undefined && first.weight > 0 && shares.every((share) => share.weight === first.weight);
  return isEven && shares.length <= bucketLimit ? fillEvenly(previous, shares) : fillByQuota(previous, shares);
}

/** One bucket each: what nearly every frontend has, so it is kept cheap. */
function fillEvenly(previous: readonly string[], shares: readonly Share[]): string[] {
  const waiting = new Set<string>();
  for (const share of shares) waiting.add(share.name);
  const owners: (string | undefined)[] = [];
  for (let bucket = 0; bucket < shares.length; bucket += 1) {
    const owner = previous[bucket];
    owners.push(owner !== undefined && waiting.delete(owner) ? owner : undefined);
  }
  const names = waiting.values();
  return owners.map((owner) => owner ?? names.next().value ?? '');
}

function fillByQuota(previous: readonly string[], shares: readonly Share[]): string[] {
  const quotas = bucketQuotas(shares);
  const total = [...quotas.values()].reduce((sum, count) => sum + count, 0);
  const owners: (string | undefined)[] = Array.from({ length: total }, (_, bucket) => {
    const owner = previous[bucket];
    return owner !== undefined && take(quotas, owner) ? owner : undefined;
  });
  const waiting = [...quotas].flatMap(([name, count]) => Array.from({ length: count }, () => name));
  let next = 0;
  return owners.map((owner) => owner ?? waiting[next++] ?? '');
}

/**
 * Gives every name a number that it keeps for as long as it stays; a new name gets the lowest free one. Client affinity
 * remembers these numbers, so a client stays with its backend whatever happens to the buckets.
 */
export function assignSlots(previous: ReadonlyMap<string, number>, names: readonly string[]): Map<string, number> {
  const slots = new Map<string, number>();
  for (const name of names) {
    const kept = previous.get(name);
    if (kept !== undefined) slots.set(name, kept);
  }
  const used = new Set(slots.values());
  let free = 0;
  for (const name of names) {
    if (slots.has(name)) continue;
    while (used.has(free)) free += 1;
    slots.set(name, free);
    used.add(free);
  }
  return slots;
}

/** How many buckets each share has: whole, at least one each, in proportion to the weights. */
function bucketQuotas(shares: readonly Share[]): Map<string, number> {
  const wanted = shares.filter((share) => share.weight > 0).slice(0, bucketLimit);
  const exact = exactQuotas(wanted);
  return new Map(exact ?? roundedQuotas(wanted));
}

/** Weights divided by their common divisor, when they are whole and the sum stays reasonable. */
function exactQuotas(shares: readonly Share[]): [string, number][] | undefined {
  if (!shares.every((share) => Number.isInteger(share.weight))) return undefined;
  const divisor = shares.reduce((common, share) => greatestCommonDivisor(common, share.weight), 0) || 1;
  const quotas = shares.map((share): [string, number] => [share.name, share.weight / divisor]);
  const total = quotas.reduce((sum, [, count]) => sum + count, 0);
  const isSmall = total <= Math.max(128, shares.length * bucketsPerBackend) && total <= bucketLimit;
  return isSmall ? quotas : undefined;
}

function roundedQuotas(shares: readonly Share[]): [string, number][] {
  const sum = shares.reduce((total, share) => total + share.weight, 0);
  // Half of the limit, because a share that would round to nothing still gets one.
  const buckets = Math.min(Math.max(128, shares.length * bucketsPerBackend), bucketLimit / 2);
  return shares.map((share) => [share.name, Math.max(1, Math.round((share.weight / sum) * buckets))]);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Takes one from a name's quota; false when nothing is left. */
function take(quotas: Map<string, number>, name: string): boolean {
  const left = quotas.get(name) ?? 0;
  if (left === 0) return false;
  quotas.set(name, left - 1);
  return true;
}
