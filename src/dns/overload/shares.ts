/** Datagrams of one client that were read since the last look, and the share of its datagrams that was let in. */
export interface Demand {
  readonly count: number;
  readonly share: number;
}

/** What happened to a queue since the last look. */
export interface Queue {
  /** From 0 to 1, now. */
  readonly fill: number;
  /** Datagrams that were not let in, or did not fit. */
  readonly dropped: number;
}

const leastShare = 1e-4;
/** Datagrams between two looks that are never too much: what a client asks at once after a pause. */
const leastLevel = 64;
const mostFaster = 2;

/**
 * What share of each client's datagrams to let into a queue, so that it is read about as fast as it fills: those that ask little
 * get all in, the others the same number each (max-min fairness). That the queue stays short is also what lets a newcomer in.
 */
export function sharesOf(demands: readonly Demand[], { fill, dropped }: Queue): number[] {
  const isShared = demands.some(({ share }) => share < 1);
  if (fill < 0.5 && !isShared) return demands.map(() => 1);
  const read = demands.reduce((sum, { count }) => sum + count, 0);
  const passed = demands.map(({ count, share }) => count / share);
  const all = passed.reduce((sum, count) => sum + count, 0);
  // What was dropped came from the same clients, in the same proportion.
  const wanted = passed.map((count) => count * Math.max(1, (read + dropped) / Math.max(1, all)));
  const level = Math.max(leastLevel, levelOf(wanted, read * paceOf(fill)));
  return wanted.map((count, at) => {
    const share = count <= level ? 1 : Math.max(leastShare, level / count);
    // Who only pauses must not fill the queue at once.
    return Math.min(share, mostFaster * (demands[at]?.share ?? 1));
  });
}

/**
 * More than was read while the queue is short, less while it is long. It is looked at after a read, so an empty one may have
 * been empty before: then something might have been answered that was not let in.
 */
function paceOf(fill: number): number {
  if (fill > 0.9) return 0.8;
  if (fill > 0.5) return 0.9;
  if (fill > 0.15) return 1;
  return fill > 0.02 ? 1.3 : 2;
}

/** The most that each may have so that all together have `total`. */
function levelOf(counts: readonly number[], total: number): number {
  let left = total;
  let clients = counts.length;
  for (const count of counts.toSorted((a, b) => a - b)) {
    if (count * clients >= left) return left / clients;
    left -= count;
    clients -= 1;
  }
  return Number.POSITIVE_INFINITY;
}
