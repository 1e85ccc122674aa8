/**
 * Elements of a map whose keys are a frontend's and a number, by frontend: in flat arrays, because there are as many as
 * endpoints. Frontends are numbers too, those of a `KeyIndex`.
 */
export class NumberedElements {
  readonly #width: number;
  #owners = new Int32Array(1024);
  #numbers = new Uint32Array(1024);
  #data: Buffer;
  #count = 0;
  /** Elements in the order of their owners, and where each owner's begin; made by `group`. */
  #order = new Int32Array(0);
  #starts = new Int32Array(1);

  /** `width` of the data in bytes. */
  constructor(width: number) {
    this.#width = width;
    this.#data = Buffer.allocUnsafe(1024 * width);
  }

  add(owner: number, number: number, from: Buffer, dataAt: number): void {
    if (this.#count === this.#owners.length) this.#grow();
    this.#owners[this.#count] = owner;
    this.#numbers[this.#count] = number;
    from.copy(this.#data, this.#count * this.#width, dataAt, dataAt + this.#width);
    this.#count += 1;
  }

  /** Sorts them by owner; nothing may be added after. */
  group(owners: number): void {
    const starts = new Int32Array(owners + 1);
    for (let at = 0; at < this.#count; at += 1) increment(starts, (this.#owners[at] ?? 0) + 1);
    for (let owner = 0; owner < owners; owner += 1) starts[owner + 1] = (starts[owner + 1] ?? 0) + (starts[owner] ?? 0);
    this.#starts = starts.slice();
    this.#order = new Int32Array(this.#count);
    for (let at = 0; at < this.#count; at += 1) this.#order[increment(starts, this.#owners[at] ?? 0)] = at;
  }

  countOf(owner: number): number {
    return (this.#starts[owner + 1] ?? 0) - (this.#starts[owner] ?? 0);
  }

  /** Calls `visit` with the number and the data (a view) of each element of an owner. */
  each(owner: number, visit: (number: number, data: Buffer) => void): void {
    const end = this.#starts[owner + 1] ?? 0;
    for (let at = this.#starts[owner] ?? 0; at < end; at += 1) {
      const element = this.#order[at] ?? 0;
      const start = element * this.#width;
      visit(this.#numbers[element] ?? 0, this.#data.subarray(start, start + this.#width));
    }
  }

  #grow(): void {
    const owners = new Int32Array(this.#count * 2);
    owners.set(this.#owners);
    this.#owners = owners;
    const numbers = new Uint32Array(this.#count * 2);
    numbers.set(this.#numbers);
    this.#numbers = numbers;
    this.#data = Buffer.concat([this.#data, Buffer.allocUnsafe(this.#data.length)]);
  }
}

/** Adds one and returns what was there before. */
function increment(counts: Int32Array, at: number): number {
  const before = counts[at] ?? 0;
  counts[at] = before + 1;
  return before;
}
