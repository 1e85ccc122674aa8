/**
 * How a range is shared between those who ask for a certain number and those who take any (KEP-3070, KEP-3668): numbers
 * below the band's end are given out last, so that they are most likely free for who asks.
 */

/** Size of the band of cluster addresses that is kept for explicit requests. */
export function clusterIpBand(size: number): number {
  return bandOf(size, size / 16, 256);
}

/** Size of the band of node ports that is kept for explicit requests. */
export function nodePortBand(size: number): number {
  return bandOf(size, size / 32, 128);
}

/** A range that is hardly larger than the smallest band has none. */
function bandOf(size: number, share: number, largest: number): number {
  return size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(share)), largest);
}

/** A free index below `size`: by chance from behind the band, and from the band when there is none. */
export function pickFree(
  size: number,
  band: number,
  isFree: (index: number) => boolean,
  random: () => number,
): number | undefined {
  return probe(band, size, isFree, random) ?? probe(0, band, isFree, random);
}

/** The first free index at or behind a random one, around the end. */
function probe(from: number, to: number, isFree: (index: number) => boolean, random: () => number): number | undefined {
  const size = to - from;
  const start = Math.floor(random() * size);
  for (let step = 0; step < size; step++) {
    const index = from + ((start + step) % size);
    if (isFree(index)) return index;
  }
  return undefined;
}
