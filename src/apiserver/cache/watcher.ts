import type { Sink } from '../http/reply.ts';
import type { Change } from './change.ts';
import { eventLine } from './change.ts';
import type { Form } from './form.ts';
import type { Item } from './item.ts';

/** The client asked for the state first and is told with this annotation where the live part begins (KEP-3157). */
const initialEventsEnd = 'k8s.io/initial-events-end';

/** Bytes a client may leave unread before it is cut off; it has to resume from its last resource version. */
const backlogLimit = 16 * 1024 * 1024;
/** Changes that may pile up while the initial state is still being sent. */
const pendingLimit = 20_000;
const chunkBytes = 64 * 1024;
const bookmarkIntervalMs = 60_000;

/** Where a stream begins: with the state `initial` at `revision`, or with the `changes` that happened since. */
export interface WatchStart {
  readonly initial: readonly Item[];
  readonly changes: readonly Change[];
  /** The revision that `initial` and `changes` lead up to. */
  readonly revision: number;
  /** Mark the end of `initial` with a bookmark. */
  readonly announceEnd: boolean;
}

export interface WatcherOptions {
  readonly sink: Sink;
  readonly form: Form;
  readonly matches: (item: Item) => boolean;
  readonly sendBookmarks: boolean;
  readonly timeoutMs: number;
  /** The newest revision of the whole cache, for bookmarks. */
  readonly revision: () => number;
  /** Called once when the stream is over, whoever ended it. */
  readonly onEnd: (reason: EndReason) => void;
}

export type EndReason = 'timeout' | 'closed' | 'slow' | 'shutdown';

/** One open watch: turns changes into lines for one client. Encoding is shared; only selecting and writing is its own. */
export class Watcher {
  readonly #options: WatcherOptions;
  readonly #timers: NodeJS.Timeout[] = [];
  /** Changes that wait until the initial state has been sent; undefined in the live part. */
  #pending: Change[] | undefined = [];
  #isFirst = true;
  #isOver = false;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#timers.push(setTimeout(() => this.#expire(), options.timeoutMs));
    if (options.sendBookmarks) this.#timers.push(setInterval(() => this.#bookmark(), bookmarkIntervalMs));
    for (const timer of this.#timers) timer.unref();
  }

  /** Sends what was there before; changes that come meanwhile wait. */
  async begin(start: WatchStart): Promise<void> {
    await this.#sendInitial(start.initial);
    for (const change of start.changes) this.#send(change);
    if (start.announceEnd && !this.#isOver) this.#bookmark(start.revision, { [initialEventsEnd]: 'true' });
    const pending = this.#pending ?? [];
    this.#pending = undefined;
    for (const change of pending) if (change.revision > start.revision) this.#send(change);
  }

  /** Takes a change from the cache. */
  deliver(change: Change): void {
    if (this.#isOver) return;
    if (this.#pending === undefined) this.#send(change);
    else if (this.#pending.push(change) > pendingLimit) this.end('slow');
  }

  /** Ends the stream with an ERROR event. */
  fail(status: unknown): void {
    if (this.#isOver) return;
    this.#options.sink.write(eventLine('ERROR', Buffer.from(JSON.stringify(status))));
    this.end('closed');
  }

  end(reason: EndReason): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#options.sink.end();
    this.#options.onEnd(reason);
  }

  async #sendInitial(items: readonly Item[]): Promise<void> {
    const { sink, form, matches } = this.#options;
    let chunk: Buffer[] = [];
    let size = 0;
    for (const item of items) {
      if (this.#isOver) return;
      if (!matches(item)) continue;
      const line = eventLine('ADDED', form.event(item, this.#isFirst));
      this.#isFirst = false;
      chunk.push(line);
      size += line.length;
      if (size < chunkBytes) continue;
      sink.write(Buffer.concat(chunk));
      chunk = [];
      size = 0;
      await sink.drained();
    }
    if (!this.#isOver && size > 0) sink.write(Buffer.concat(chunk));
  }

  #send(change: Change): void {
    if (this.#isOver) return;
    const { sink, form, matches } = this.#options;
    const seen = change.seenBy(matches);
    if (seen === undefined) return;
    sink.write(change.line(seen.type, seen.item, form, this.#isFirst));
    this.#isFirst = false;
    if (sink.backlog > backlogLimit) this.end('slow');
  }

  #bookmark(revision = this.#options.revision(), annotations?: Readonly<Record<string, string>>): void {
    if (this.#isOver || (this.#pending !== undefined && annotations === undefined)) return;
    this.#options.sink.write(eventLine('BOOKMARK', this.#options.form.bookmark(revision, annotations)));
  }

  #expire(): void {
    if (this.#options.sendBookmarks) this.#bookmark();
    this.end('timeout');
  }
}
