/** Ends after so many milliseconds in which nothing was heard, or when it is disposed of. */
export class Silence implements Disposable {
  readonly #ms: number;
  readonly #end = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.#ms = ms;
    this.#begin();
  }

  get ended(): Promise<void> {
    return this.#end.promise;
  }

  heard(): void {
    if (this.#timer !== undefined) this.#begin();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#end.resolve();
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this[Symbol.dispose](), this.#ms);
  }
}
