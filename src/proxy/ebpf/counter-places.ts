/** Which places of an array of counters are taken. Places are given from the lowest on, so that the array stays small. */
export class CounterPlaces {
  readonly #taken: Set<number>;
  /** No place below is free. */
  #lowest = 0;
  /** Taken since `keep`. */
  #fresh: number[] = [];

  constructor(taken: readonly number[]) {
    this.#taken = new Set(taken);
  }

  take(): number {
    while (this.#taken.has(this.#lowest)) this.#lowest += 1;
    this.#taken.add(this.#lowest);
    this.#fresh.push(this.#lowest);
    return this.#lowest;
  }

  free(place: number): void {
    this.#taken.delete(place);
    this.#lowest = Math.min(this.#lowest, place);
  }

  /** What was taken is in use from now on. */
  keep(): void {
    this.#fresh = [];
  }

  /** Frees what was taken and not kept. */
  giveBack(): void {
    for (const place of this.#fresh.splice(0)) this.free(place);
  }
}
