/** Datagrams of one client that were read since the last look, and the share of its datagrams that was let in. */
export interface Demand {
  readonly count: number;
  readonly share: number;
}

/** What happened to a queue since the last look. */
export interface Queue {
  /** Datagrams in it now, and as many as fit, about. */
  readonly waiting: number;
  readonly most: number;
  /** Datagrams that were not let in, or did not fit. */
  readonly dropped: number;
}

const leastShare = 1e-4;
/** Datagrams between two looks that are never too much: what a client asks at once after a pause. */
const leastLevel = 8;
const mostFaster = 2;

/**
 * What share of each client's datagrams to let into a queue, so that it is read about as fast as it fills: those that ask little
 * get all in, the others the same number each (max-min fairness). That the queue stays short is also what lets a newcomer in.
 */
export function sharesOf(demands: readonly Demand[], { waiting, most, dropped }: Queue): number[] {
  const isShared = demands.some(({ share }) => share < 1);
  if (waiting < most / 2 && !isShared) return demands.map(() => 1);
  const read = demands.reduce((sum, { count }) => sum + count, 0);
  const passed = demands.map(({ count, share }) => count / share);
  const all = passed.reduce((sum, count) => sum + count, 0);
  // All that came is known, and whose it was from what was read.
  const wanted = passed.map((count) => (count * (read + dropped)) / Math.max(1, all));
  const level = Math.max(leastLevel, levelOf(wanted, paced(read, waiting)));
  return wanted.map((count, at) => {
    const share = count <= level ? 1 : Math.max(leastShare, level / count);
    // Who only pauses must not fill the queue at once.
    return Math.min(share, mostFaster * (demands[at]?.share ?? 1));
  });
}

/**
 * What to let in until the next look, so that then about as much waits as is read between two: an empty queue would leave the
 * reader idle, a long one makes everybody wait. Half of the way at once, as both figures are of the past.
 */
function paced(read: number, waiting: number): number {
  return Math.max(read + (read - waiting) / 2, read / 2);
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
