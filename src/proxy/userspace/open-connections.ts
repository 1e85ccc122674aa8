/** The open connections of one frontend, by backend. */
export class OpenConnections {
  /** Backend → what resets each of its connections. */
  readonly #byBackend = new Map<string, Set<() => void>>();
  #idle: (() => void) | undefined;

  /** Notes a connection; the returned function notes its end. */
  add(backend: string, reset: () => void): () => void {
    const entry = (): void => reset();
    const entries = this.#byBackend.get(backend) ?? new Set();
    this.#byBackend.set(backend, entries.add(entry));
    return () => this.#end(backend, entries, entry);
  }

  /** To one backend. */
  count(backend: string): number {
    return this.#byBackend.get(backend)?.size ?? 0;
  }

  /** Backends that have some. */
  get backends(): readonly string[] {
    return [...this.#byBackend.keys()];
  }

  reset(backend: string): void {
    for (const reset of this.#byBackend.get(backend) ?? []) reset();
  }

  /** Resolves when there are none. */
  async ended(): Promise<void> {
    if (this.#byBackend.size > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  #end(backend: string, entries: Set<() => void>, entry: () => void): void {
    if (!entries.delete(entry) || entries.size > 0) return;
    this.#byBackend.delete(backend);
    if (this.#byBackend.size === 0) this.#idle?.();
  }
}
