import { pluginNames, sizeBuckets, timeBuckets, typeLabelNumber, typeLabels } from './coredns-names.ts';

const rcodeCount = 24;
const timeCells = timeBuckets.length + 1;
const sizeCells = sizeBuckets.length + 1;

/** Where the cells are: questions and times by type, sizes, answers by plugin and code. */
const starts = layOut({
  types: typeLabels.length,
  dnssec: 1,
  times: typeLabels.length * timeCells,
  timeSums: typeLabels.length,
  requestSizes: sizeCells,
  requestSum: 1,
  responseSizes: sizeCells,
  responseSum: 1,
  answers: pluginNames.length * rcodeCount,
});

function layOut<Name extends string>(lengths: Readonly<Record<Name, number>>): Readonly<Record<Name | 'end', number>> {
  let at = 0;
  const entries = Object.entries<number>(lengths).map(([name, length]) => [name, (at += length) - length] as const);
  // The entries are those of `lengths`.
  return Object.fromEntries([...entries, ['end', at]]) as Record<Name | 'end', number>;
}

/** What has been counted since the last look: arrays by the numbers of `coredns-names.ts`. */
export interface Tallied {
  readonly byType: ArrayLike<number>;
  readonly dnssecOk: number;
  /** Seconds, by type. */
  readonly times: readonly Distribution[];
  /** Bytes. */
  readonly requestSizes: Distribution;
  readonly responseSizes: Distribution;
  /** Answers by plugin, then response code. */
  readonly answers: readonly ArrayLike<number>[];
}

export interface Distribution {
  /** By bound; the last is for what is above all bounds. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
}

/**
 * Counts questions and answers of one kind in memory that threads can share: one thread writes, another looks. Counting is a
 * handful of additions and makes nothing.
 */
export class QueryTally {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Float64Array;
  /** What the last look saw. */
  readonly #seen = new Float64Array(starts.end);
  /** Of the batch at hand: answers by type, and when the first of them was asked for. */
  readonly #batch = new Float64Array(typeLabels.length);
  #batchStartMs = 0;

  constructor(memory = new SharedArrayBuffer(starts.end * Float64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    // Words of 8 bytes are written and read whole where Node runs; a look may miss the newest.
    this.#cells = new Float64Array(memory);
  }

  /** One question and its answer: `plugin` by number (`coredns-names.ts`), `responseBytes` 0 when there was none. */
  count(question: CountedQuestion, plugin: number, rcode: number, responseBytes: number, tookSeconds: number): void {
    const { type, dnssecOk, requestBytes } = question;
    const slot = typeLabelNumber(type);
    this.#count(slot, plugin, rcode, dnssecOk, requestBytes, responseBytes);
    this.#took(slot, tookSeconds, 1);
  }

  /** The same of an answer that is sent together with others; `endBatch` says when. */
  countInBatch(
    type: number,
    plugin: number,
    rcode: number,
    dnssecOk: boolean,
    requestBytes: number,
    responseBytes: number,
  ): void {
    if (this.#batchStartMs === 0) this.#batchStartMs = performance.now();
    const slot = typeLabelNumber(type);
    this.#batch[slot] = (this.#batch[slot] ?? 0) + 1;
    this.#count(slot, plugin, rcode, dnssecOk, requestBytes, responseBytes);
  }

  /** The answers of a batch are sent: each took as long as the batch did. */
  endBatch(): void {
    if (this.#batchStartMs === 0) return;
    const tookSeconds = (performance.now() - this.#batchStartMs) / 1000;
    this.#batchStartMs = 0;
    for (let slot = 0; slot < typeLabels.length; slot += 1) {
      const count = this.#batch[slot] ?? 0;
      if (count === 0) continue;
      this.#batch[slot] = 0;
      this.#took(slot, tookSeconds, count);
    }
  }

  /** Questions so far. */
  asked(): number {
    return this.#cells.subarray(starts.types, starts.dnssec).reduce((sum, count) => sum + count, 0);
  }

  /** What came since the last look; undefined when nothing did. */
  look(): Tallied | undefined {
    const now = Float64Array.from(this.#cells);
    const since = now.map((value, index) => value - (this.#seen[index] ?? 0));
    if (since.every((value) => value === 0)) return undefined;
    this.#seen.set(now);
    const slice = (start: number, length: number): Float64Array => since.subarray(start, start + length);
    const at = (index: number): number => since[index] ?? 0;
    return {
      byType: slice(starts.types, typeLabels.length),
      dnssecOk: at(starts.dnssec),
      times: typeLabels.map((_, slot) => ({
        counts: slice(starts.times + slot * timeCells, timeCells),
        sum: at(starts.timeSums + slot),
      })),
      requestSizes: { counts: slice(starts.requestSizes, sizeCells), sum: at(starts.requestSum) },
      responseSizes: { counts: slice(starts.responseSizes, sizeCells), sum: at(starts.responseSum) },
      answers: pluginNames.map((_, plugin) => slice(starts.answers + plugin * rcodeCount, rcodeCount)),
    };
  }

  #count(
    slot: number,
    plugin: number,
    rcode: number,
    dnssecOk: boolean,
    requestBytes: number,
    responseBytes: number,
  ): void {
    this.#add(starts.types + slot, 1);
    if (dnssecOk) this.#add(starts.dnssec, 1);
    this.#add(starts.requestSizes + sizeBucketOf(requestBytes), 1);
    this.#add(starts.requestSum, requestBytes);
    if (responseBytes > 0) {
      this.#add(starts.responseSizes + sizeBucketOf(responseBytes), 1);
      this.#add(starts.responseSum, responseBytes);
    }
    this.#add(starts.answers + plugin * rcodeCount + Math.min(rcode, rcodeCount - 1), 1);
  }

  #took(slot: number, seconds: number, count: number): void {
    this.#add(starts.times + slot * timeCells + bucketOf(timeBuckets, seconds), count);
    this.#add(starts.timeSums + slot, seconds * count);
  }

  #add(cell: number, by: number): void {
    this.#cells[cell] = (this.#cells[cell] ?? 0) + by;
  }
}

/** What is known of a question when its answer is made. */
export interface CountedQuestion {
  readonly type: number;
  readonly dnssecOk: boolean;
  readonly requestBytes: number;
}

/** Index of the first bound that a value is not above. */
function bucketOf(bounds: readonly number[], value: number): number {
  let index = 0;
  while (index < bounds.length && value > (bounds[index] ?? 0)) index += 1;
  return index;
}

/** Of every size that a packet over UDP may have. */
const smallSizes = Uint8Array.from({ length: 2048 }, (_, size) => bucketOf(sizeBuckets, size));

function sizeBucketOf(bytes: number): number {
  return smallSizes[bytes] ?? bucketOf(sizeBuckets, bytes);
}
