import type { StoreEvent } from './store.ts';

/** How much history is kept. An event goes when it is older than `maxAgeMs`, but never one of the last `minEvents`. */
export interface Retention {
  /** Milliseconds. */
  readonly maxAgeMs: number;
  /** That many of the newest events stay, however old. */
  readonly minEvents: number;
  /** Beyond that many the oldest go, however new. */
  readonly maxEvents: number;
}

/** Five minutes, as clients expect of a Kubernetes API server, within bounds on memory. */
export const defaultRetention: Retention = { maxAgeMs: 5 * 60_000, minEvents: 1_000, maxEvents: 100_000 };

/** The kept events in revision order, each with the time at which it was committed. Oldest go first. */
export class EventLog {
  private events: StoreEvent[] = [];
  private times: number[] = [];
  private head = 0;

  get length(): number {
    return this.events.length - this.head;
  }

  append(event: StoreEvent, time: number): void {
    this.events.push(event);
    this.times.push(time);
  }

  /** Events with revision > `revision`, oldest first. */
  after(revision: number): readonly StoreEvent[] {
    let low = this.head;
    let high = this.events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.events[middle]?.revision ?? Infinity) <= revision) low = middle + 1;
      else high = middle;
    }
    return this.events.slice(low);
  }

  /**
   * The revision up to which history may go now, stepping over at most `steps` events (a little more where a revision
   * ends later: revisions go whole); undefined when everything has to stay.
   */
  expired(retention: Retention, now: number, steps: number): number | undefined {
    const excess = this.length - retention.maxEvents;
    const old = this.length - retention.minEvents;
    let revision: number | undefined;
    for (let offset = 0; offset < Math.min(steps, Math.max(excess, old)); offset++) {
      const isOld = offset < old && (this.times[this.head + offset] ?? now) < now - retention.maxAgeMs;
      if (offset >= excess && !isOld) break;
      revision = this.events[this.head + offset]?.revision;
    }
    return revision;
  }

  /** The oldest events up to and including `revision`, at most `steps` of them. */
  upTo(revision: number, steps: number): StoreEvent[] {
    const events: StoreEvent[] = [];
    for (let at = this.head; events.length < steps; at++) {
      const event = this.events[at];
      if (event === undefined || event.revision > revision) break;
      events.push(event);
    }
    return events;
  }

  /** Takes out the `count` oldest events. */
  drop(count: number): void {
    this.head += count;
    this.reclaim();
  }

  /** Copies the rest down once half of the arrays is gone, so that each event is copied a bounded number of times. */
  private reclaim(): void {
    if (this.head < 1024 || this.head * 2 < this.events.length) return;
    this.events = this.events.slice(this.head);
    this.times = this.times.slice(this.head);
    this.head = 0;
  }
}
