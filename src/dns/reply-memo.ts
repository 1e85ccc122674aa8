import type { Reply } from './reply.ts';
import type { Name } from './wire/names.ts';

/** Replies kept at most: beyond it everything is forgotten, which costs each name one rebuild. */
const capacity = 100_000;

/** Replies by type and name, valid as long as the object they come from is current. */
export class ReplyMemo {
  readonly #byType = new Map<number, Map<Name, Reply>>();
  #size = 0;

  /** `key` is the name in lower case. */
  get(type: number, key: Name): Reply | undefined {
    const reply = this.#byType.get(type)?.get(key);
    return reply?.owner?.isCurrent === true ? reply : undefined;
  }

  /** Keeps a reply that has an owner. */
  put(type: number, key: Name, reply: Reply): void {
    if (reply.owner === undefined) return;
    if (this.#size >= capacity) this.#clear();
    let ofType = this.#byType.get(type);
    if (ofType === undefined) this.#byType.set(type, (ofType = new Map()));
    if (!ofType.has(key)) this.#size += 1;
    ofType.set(key, reply);
  }

  #clear(): void {
    this.#byType.clear();
    this.#size = 0;
  }
}
