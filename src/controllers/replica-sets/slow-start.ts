/**
 * Calls `create` `count` times in batches of 1, 2, 4, 8 …: when creation fails for a reason that all share (a quota, a
 * broken admission rule), few requests find out. Rejects with the first failure, after its batch.
 */
export async function slowStart(count: number, create: () => Promise<void>): Promise<void> {
  for (let left = count, batch = 1; left > 0; batch *= 2) {
    const size = Math.min(batch, left);
    const results = await Promise.allSettled(Array.from({ length: size }, create));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    left -= size;
  }
}
