import type { Item } from './item.ts';

/** Objects of one resource in key order, with look-up by key. */
export class SortedItems {
  readonly #byKey = new Map<string, Item>();
  /** The store's order is UTF-8 bytes; names are ASCII, for which UTF-16 order is the same. */
  readonly #sorted: Item[] = [];

  get size(): number {
    return this.#sorted.length;
  }

  get(key: string): Item | undefined {
    return this.#byKey.get(key);
  }

  /** Adds or replaces; gives what was there. */
  set(item: Item): Item | undefined {
    const previous = this.#byKey.get(item.key);
    this.#byKey.set(item.key, item);
    const index = this.#indexOf(item.key);
    this.#sorted.splice(index, previous === undefined ? 0 : 1, item);
    return previous;
  }

  delete(key: string): Item | undefined {
    const previous = this.#byKey.get(key);
    if (previous === undefined) return undefined;
    this.#byKey.delete(key);
    this.#sorted.splice(this.#indexOf(key), 1);
    return previous;
  }

  /** A snapshot of everything under `prefix` behind the key `after` (exclusive). */
  range(prefix: string, after = ''): readonly Item[] {
    const from = after === '' ? this.#indexOf(prefix) : this.#indexOf(`${after}\0`);
    const to = this.#indexOf(`${prefix}\uffff`);
    return this.#sorted.slice(from, to);
  }

  /** Index of the first item whose key is not less than `key`. */
  #indexOf(key: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle]?.key ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
