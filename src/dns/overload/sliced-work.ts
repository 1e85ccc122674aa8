/** Milliseconds between two looks at the sockets. */
const sliceMs = 1;

/**
 * Work that comes in pieces, a millisecond's worth in each turn of the event loop: between two slices the sockets are looked
 * at, and changes of the cluster taken in.
 */
export class SlicedWork {
  readonly #next: () => boolean;
  #isScheduled = false;

  /** `next` does one piece; false when there is none. */
  constructor(next: () => boolean) {
    this.#next = next;
  }

  /** There is something to do. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#slice);
  }

  /** Does all of it now. */
  finish(): void {
    while (this.#next());
  }

  readonly #slice = (): void => {
    this.#isScheduled = false;
    const endMs = performance.now() + sliceMs;
    do {
      if (!this.#next()) return;
    } while (performance.now() < endMs);
    this.schedule();
  };
}
