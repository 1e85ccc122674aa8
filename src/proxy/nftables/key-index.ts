/**
 * Numbers keys of one width in the order they are first seen: a hash table over a few flat arrays. A table of the kernel
 * has hundreds of thousands of keys that are looked at once; a text for each would cost more than reading them.
 */
export class KeyIndex {
  readonly #width: number;
  #bytes: Buffer;
  /** By hash: number of a key + 1, 0 for free. */
  #places = new Int32Array(1024);
  #count = 0;

  /** `width` in bytes. */
  constructor(width: number) {
    this.#width = width;
    this.#bytes = Buffer.allocUnsafe(width * 256);
  }

  get size(): number {
    return this.#count;
  }

  /** The number of the key that begins at `at`; a new key gets the next. */
  add(from: Uint8Array, at = 0): number {
    const place = this.#place(from, at);
    const known = this.#places[place] ?? 0;
    if (known !== 0) return known - 1;
    const start = this.#count * this.#width;
    if (start + this.#width > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(start)]);
    for (let byte = 0; byte < this.#width; byte += 1) this.#bytes[start + byte] = from[at + byte] ?? 0;
    this.#count += 1;
    this.#places[place] = this.#count;
    if (this.#count * 2 > this.#places.length) this.#grow();
    return this.#count - 1;
  }

  /** The number of the key that begins at `at`; -1 when it was never added. */
  find(from: Uint8Array, at = 0): number {
    return (this.#places[this.#place(from, at)] ?? 0) - 1;
  }

  /** The key with a number; a view, for reading. */
  key(number: number): Buffer {
    return this.#bytes.subarray(number * this.#width, (number + 1) * this.#width);
  }

  /** Where a key is, or would be. */
  #place(from: Uint8Array, at: number): number {
    const mask = this.#places.length - 1;
    let place = this.#hash(from, at) & mask;
    for (;;) {
      const known = this.#places[place] ?? 0;
      if (known === 0 || this.#isSame(known - 1, from, at)) return place;
      place = (place + 1) & mask;
    }
  }

  #isSame(number: number, from: Uint8Array, at: number): boolean {
    const start = number * this.#width;
    for (let byte = 0; byte < this.#width; byte += 1) {
      if (this.#bytes[start + byte] !== from[at + byte]) return false;
    }
    return true;
  }

  #hash(from: Uint8Array, at: number): number {
    let hash = 0x811c9dc5;
    for (let byte = 0; byte < this.#width; byte += 1) hash = Math.imul(hash ^ (from[at + byte] ?? 0), 0x01000193);
    return hash ^ (hash >>> 15);
  }

  #grow(): void {
    this.#places = new Int32Array(this.#places.length * 2);
    for (let number = 0; number < this.#count; number += 1) {
      this.#places[this.#place(this.#bytes, number * this.#width)] = number + 1;
    }
  }
}
