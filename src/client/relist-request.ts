/** Asks a running list-watch for a full list: what it has seen is not all. */
export class RelistRequest {
  #controller = new AbortController();

  /** Aborts when a list is asked for; each `take` makes a new one. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  ask(): void {
    this.#controller.abort();
  }

  /** Whether a list was asked for since the last call. */
  take(): boolean {
    if (!this.#controller.signal.aborted) return false;
    this.#controller = new AbortController();
    return true;
  }
}
