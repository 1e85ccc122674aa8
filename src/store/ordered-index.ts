import { compareBytes, compareUnits, hasSurrogates, type Compare } from './key-order.ts';
import type { Entry, StoreEvent } from './store.ts';

/** A key the index knows: its current entry, and the kept events of the key (oldest first) to look into the past. */
export interface Row {
  readonly key: string;
  current: Entry | undefined;
  history: StoreEvent[] | undefined;
}

/** Where a row is: `chunks[chunk].rows[row]`. One past the end of the last chunk is the end. */
export interface Position {
  readonly chunk: number;
  readonly row: number;
}

interface Chunk {
  readonly rows: Row[];
  /** How many rows have a current entry. */
  live: number;
}

const LARGEST_CHUNK = 512;
const SMALLEST_CHUNK = 64;

/**
 * Rows in key order: a list of sorted chunks. Finding is two binary searches, inserting moves at most one chunk's
 * worth of pointers, and counting adds up whole chunks, so that a page costs what it returns. Rows of deleted keys stay
 * until their history is forgotten.
 */
export class OrderedIndex {
  private readonly byKey = new Map<string, Row>();
  private readonly chunks: Chunk[] = [];
  /** Once there is such a key, all comparing is the slow way; plain keys compare the same either way. */
  private hasSurrogates = false;

  /** The row of a key, deleted or not. */
  get(key: string): Row | undefined {
    return this.byKey.get(key);
  }

  /** Sets the current entry of a key and returns its row. */
  set(key: string, entry: Entry | undefined): Row {
    const row = this.byKey.get(key);
    if (row === undefined) return this.insert({ key, current: entry, history: undefined });
    if ((row.current === undefined) !== (entry === undefined)) {
      const chunk = this.chunks[this.lowerBound(key).chunk];
      if (chunk !== undefined) chunk.live += entry === undefined ? -1 : 1;
    }
    row.current = entry;
    return row;
  }

  /** Takes a row without a current entry out of the index. */
  remove(row: Row): void {
    const { chunk: at, row: offset } = this.lowerBound(row.key);
    const chunk = this.chunks[at];
    if (chunk?.rows[offset] !== row) return;
    chunk.rows.splice(offset, 1);
    this.byKey.delete(row.key);
    if (chunk.rows.length < SMALLEST_CHUNK) this.mergeWithNext(at > 0 ? at - 1 : at);
  }

  /** The first row whose key is not before `key`. */
  lowerBound(key: string): Position {
    const compare = this.compareWith(key);
    return this.partition((row) => compare(row.key, key) < 0);
  }

  /** The first row whose key is after `key`. */
  upperBound(key: string): Position {
    const compare = this.compareWith(key);
    return this.partition((row) => compare(row.key, key) <= 0);
  }

  /** The first row behind all those whose keys start with `prefix`. */
  prefixEnd(prefix: string): Position {
    const compare = this.compareWith(prefix);
    return this.partition((row) => row.key.startsWith(prefix) || compare(row.key, prefix) < 0);
  }

  /** The rows from one position up to (excluding) another. */
  *rows(from: Position, to: Position): Generator<Row, void> {
    for (let at = from.chunk; at <= to.chunk; at++) {
      const rows = this.chunks[at]?.rows ?? [];
      const end = at === to.chunk ? to.row : rows.length;
      for (let offset = at === from.chunk ? from.row : 0; offset < end; offset++) {
        const row = rows[offset];
        if (row !== undefined) yield row;
      }
    }
  }

  /** How many rows between two positions have a current entry. */
  countLive(from: Position, to: Position): number {
    let count = 0;
    for (let at = from.chunk; at <= to.chunk; at++) {
      const chunk = this.chunks[at];
      if (chunk === undefined) break;
      const start = at === from.chunk ? from.row : 0;
      const end = at === to.chunk ? to.row : chunk.rows.length;
      if (start === 0 && end === chunk.rows.length) count += chunk.live;
      else for (let offset = start; offset < end; offset++) if (chunk.rows[offset]?.current !== undefined) count++;
    }
    return count;
  }

  private compareWith(key: string): Compare {
    return this.hasSurrogates || hasSurrogates(key) ? compareBytes : compareUnits;
  }

  private insert(row: Row): Row {
    this.byKey.set(row.key, row);
    this.hasSurrogates ||= hasSurrogates(row.key);
    const { chunk: at, row: offset } = this.lowerBound(row.key);
    const last = this.chunks.at(-1);
    if (at < this.chunks.length) this.insertAt(at, offset, row);
    else if (last !== undefined) this.insertAt(at - 1, last.rows.length, row);
    else this.chunks.push({ rows: [row], live: row.current === undefined ? 0 : 1 });
    return row;
  }

  private insertAt(at: number, offset: number, row: Row): void {
    const chunk = this.chunks[at];
    if (chunk === undefined) return;
    chunk.rows.splice(offset, 0, row);
    if (row.current !== undefined) chunk.live++;
    if (chunk.rows.length > LARGEST_CHUNK) this.split(at, chunk);
  }

  private split(at: number, chunk: Chunk): void {
    const upper = chunk.rows.splice(chunk.rows.length >> 1);
    const live = upper.reduce((count, row) => (row.current === undefined ? count : count + 1), 0);
    chunk.live -= live;
    this.chunks.splice(at + 1, 0, { rows: upper, live });
  }

  private mergeWithNext(at: number): void {
    const chunk = this.chunks[at];
    const next = this.chunks[at + 1];
    if (chunk !== undefined && next !== undefined && chunk.rows.length + next.rows.length <= LARGEST_CHUNK >> 1) {
      chunk.rows.push(...next.rows);
      chunk.live += next.live;
      this.chunks.splice(at + 1, 1);
    } else if (chunk?.rows.length === 0) {
      this.chunks.splice(at, 1);
    } else if (next?.rows.length === 0) {
      this.chunks.splice(at + 1, 1);
    }
  }

  /** The first position whose row does not satisfy `isBefore`; rows that do all come first. */
  private partition(isBefore: (row: Row) => boolean): Position {
    const chunk = firstNot(this.chunks, ({ rows }) => isTrueOfLast(rows, isBefore));
    return { chunk, row: firstNot(this.chunks[chunk]?.rows ?? [], isBefore) };
  }
}

function isTrueOfLast(rows: readonly Row[], holds: (row: Row) => boolean): boolean {
  const last = rows.at(-1);
  return last !== undefined && holds(last);
}

function firstNot<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && holds(item)) low = middle + 1;
    else high = middle;
  }
  return low;
}
