import type { StoreEvent } from '../../store/store.ts';
import type { Form } from './form.ts';
import { Item } from './item.ts';

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

const lineEnd = Buffer.from('}\n');
const heads: Readonly<Record<EventType | 'BOOKMARK' | 'ERROR', Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
  BOOKMARK: Buffer.from('{"type":"BOOKMARK","object":'),
  ERROR: Buffer.from('{"type":"ERROR","object":'),
};

/** One line of a watch stream. */
export function eventLine(type: EventType | 'BOOKMARK' | 'ERROR', object: Uint8Array): Buffer {
  return Buffer.concat([heads[type], object, lineEnd]);
}

/** One change of one object, shared by all watchers; each encoded form is made once. */
export class Change {
  readonly key: string;
  readonly revision: number;
  /** The object after the change; undefined when it was deleted. */
  readonly item: Item | undefined;
  readonly previous: Item | undefined;
  readonly #lines = new Map<string, Buffer>();
  #gone: Item | undefined;

  constructor(key: string, revision: number, item: Item | undefined, previous: Item | undefined) {
    this.key = key;
    this.revision = revision;
    this.item = item;
    this.previous = previous;
  }

  static of(event: StoreEvent): Change {
    const item = event.entry === undefined ? undefined : Item.of(event.entry);
    const previous = event.previous === undefined ? undefined : Item.of(event.previous);
    return new Change(event.key, event.revision, item, previous);
  }

  /**
   * What a watcher that selects by `matches` sees of this change: an object that leaves the selection is DELETED for it,
   * one that enters is ADDED. Undefined when it sees nothing.
   */
  seenBy(matches: (item: Item) => boolean): { readonly type: EventType; readonly item: Item } | undefined {
    const before = this.previous !== undefined && matches(this.previous);
    const after = this.item !== undefined && matches(this.item);
    if (after && this.item !== undefined) return { type: before ? 'MODIFIED' : 'ADDED', item: this.item };
    const gone = before ? this.#goneItem() : undefined;
    return gone && { type: 'DELETED', item: gone };
  }

  /** The event as a line of a watch stream. */
  line(type: EventType, item: Item, form: Form, isFirst: boolean): Buffer {
    const id = `${type} ${form.id} ${isFirst}`;
    const known = this.#lines.get(id);
    if (known !== undefined) return known;
    const line = eventLine(type, form.event(item, isFirst));
    this.#lines.set(id, line);
    return line;
  }

  /** The last state, at the revision of this change; made once. */
  #goneItem(): Item | undefined {
    this.#gone ??= this.previous?.at(this.revision);
    return this.#gone;
  }
}
