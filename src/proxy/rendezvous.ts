import { bucketLimit, type Share } from './buckets.ts';

/**
 * Consistent hashing: a client's hash picks a bucket, and each bucket belongs to the backend that scores highest for it
 * (rendezvous, or highest random weight, hashing: Thaler and Ravishankar, 1998). The owners depend on nothing but the
 * backends and their weights, so every node and every restart agree; a backend that comes or goes moves only its own
 * share. Pure.
 */

/** Numbers of buckets to choose from: a step to the next one moves most clients, so there are few. */
const sizes = [1, 256, 4096, bucketLimit] as const;

/** With this many buckets for the smallest share, shares are off by an eighth or less (one standard deviation). */
const bucketsPerShare = 64;

/** The owner of each bucket. Shares of weight 0 or less own none. */
export function hashBuckets(shares: readonly Share[]): string[] {
  const wanted = shares.filter((share) => share.weight > 0);
  const size = bucketCount(wanted);
  const hashes = wanted.map((share) => hashText(share.name));
  const isEven = wanted.every((share) => share.weight === wanted[0]?.weight);
  const pick = isEven ? highest : highestWeighted;
  const weights = wanted.map((share) => share.weight);
  return Array.from({ length: size }, (_, bucket) => wanted[pick(mix(bucket + 1), hashes, weights)]?.name ?? '');
}

/** One backend needs no choice; more need enough buckets for the smallest of them. */
function bucketCount(shares: readonly Share[]): number {
  if (shares.length < 2) return shares.length;
  const sum = shares.reduce((total, share) => total + share.weight, 0);
  const least = Math.min(...shares.map((share) => share.weight));
  const needed = Math.min(sum / least, shares.length * 16) * bucketsPerShare;
  return sizes.find((size) => size >= needed) ?? bucketLimit;
}

function highest(bucket: number, hashes: readonly number[]): number {
  let winner = 0;
  let best = -1;
  for (let at = 0; at < hashes.length; at += 1) {
    const score = mix(bucket ^ (hashes[at] ?? 0));
    if (score <= best) continue;
    best = score;
    winner = at;
  }
  return winner;
}

/** The same order for equal weights; else a backend wins in proportion to its weight. */
function highestWeighted(bucket: number, hashes: readonly number[], weights: readonly number[]): number {
  let winner = 0;
  let best = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < hashes.length; at += 1) {
    const chance = (mix(bucket ^ (hashes[at] ?? 0)) + 0.5) / 2 ** 32;
    const score = Math.log(chance) / (weights[at] ?? 1);
    if (score <= best) continue;
    best = score;
    winner = at;
  }
  return winner;
}

/** 32 bits: FNV-1a of the text, mixed. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix(hash);
}

/** Spreads every bit of 32 over all of them. */
function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
