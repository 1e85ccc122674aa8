import { SlowWatcherError, type StoreEvent } from './store.ts';

/** One consumer of events: a queue of references to shared events, cut off when it grows past its limit. */
export class Watcher {
  readonly prefix: string;
  private readonly limit: number;
  private queue: StoreEvent[];
  private failure: Error | undefined;
  private ended = false;
  private wake: (() => void) | undefined;

  constructor(prefix: string, limit: number, backlog: readonly StoreEvent[]) {
    this.prefix = prefix;
    this.limit = limit;
    this.queue = backlog.filter(({ key }) => key.startsWith(prefix));
  }

  /** Takes in all events of one or more revisions. The backlog it started with does not count against the limit. */
  push(events: readonly StoreEvent[]): void {
    const before = this.queue.length;
    for (const event of events) if (event.key.startsWith(this.prefix)) this.queue.push(event);
    if (this.queue.length === before) return;
    if (before > this.limit) this.cutOff();
    this.notify();
  }

  /** Everything that came since the last call; undefined when the watch has ended. Throws `SlowWatcherError`. */
  async next(): Promise<readonly StoreEvent[] | undefined> {
    while (this.queue.length === 0 && this.failure === undefined && !this.ended) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.wake = resolve;
      await promise;
    }
    if (this.failure !== undefined) throw this.failure;
    if (this.ended) return undefined;
    const events = this.queue;
    this.queue = [];
    return events;
  }

  /** Ends the watch: `next` answers undefined. */
  end(): void {
    this.ended = true;
    this.notify();
  }

  private cutOff(): void {
    this.failure ??= new SlowWatcherError(`a watcher of ${this.prefix} fell behind by ${this.queue.length} events`);
    this.queue = [];
  }

  private notify(): void {
    this.wake?.();
    this.wake = undefined;
  }
}
