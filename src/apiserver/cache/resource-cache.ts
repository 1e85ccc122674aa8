import { Change } from './change.ts';
import { Item } from './item.ts';
import { SortedItems } from './sorted-items.ts';

/** Receives the changes of one resource, in order. */
export type Subscriber = (change: Change) => void;

/**
 * All objects of one resource in memory, the recent changes, and who wants to hear of new ones. Fed by `WatchCache`, in
 * revision order.
 */
export class ResourceCache {
  readonly items = new SortedItems();
  /** Key prefix with trailing slash. */
  readonly prefix: string;
  readonly #subscribers = new Set<Subscriber>();
  readonly #recent: Change[] = [];
  readonly #historyLimit: number;
  /** `#recent` holds every change after this revision. */
  #recentFrom: number;

  constructor(prefix: string, revision: number, historyLimit: number) {
    this.prefix = prefix;
    this.#recentFrom = revision;
    this.#historyLimit = historyLimit;
  }

  /** How many streams are open on this resource. */
  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** Adds an object that was there when the cache started. */
  load(item: Item): void {
    this.items.set(item);
  }

  /** Takes one change in and tells the subscribers. */
  apply(key: string, revision: number, item: Item | undefined): void {
    const previous = item === undefined ? this.items.delete(key) : this.items.set(item);
    const change = new Change(key, revision, item, previous);
    this.#remember(change);
    for (const subscriber of this.#subscribers) subscriber(change);
  }

  /** The changes after `revision`, or undefined when they are not all remembered. */
  since(revision: number): readonly Change[] | undefined {
    if (revision < this.#recentFrom) return undefined;
    const index = this.#recent.findLastIndex((change) => change.revision <= revision);
    return this.#recent.slice(index + 1);
  }

  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  #remember(change: Change): void {
    this.#recent.push(change);
    if (this.#recent.length <= this.#historyLimit * 2) return;
    const dropped = this.#recent.splice(0, this.#recent.length - this.#historyLimit);
    this.#recentFrom = dropped.at(-1)?.revision ?? this.#recentFrom;
  }
}
