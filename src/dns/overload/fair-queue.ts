/**
 * What waits, by client. Clients take turns, and of each the newest comes first: whoever has waited for long asks again or
 * has gone. When it is full the oldest of the client with the most goes.
 */
export class FairQueue<T> {
  readonly #most: number;
  /** In the order of their turns. */
  readonly #byClient = new Map<string, T[]>();
  #size = 0;

  /** `most` items are kept. */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds an item; returns the one that went for it. */
  push(client: string, item: T): T | undefined {
    const dropped = this.#size >= this.#most ? this.#drop(client) : undefined;
    const own = this.#byClient.get(client);
    if (own === undefined) this.#byClient.set(client, [item]);
    else own.push(item);
    this.#size += 1;
    return dropped;
  }

  /** Takes the newest of the client whose turn it is; undefined when nothing waits. */
  take(): T | undefined {
    const [first] = this.#byClient;
    if (first === undefined) return undefined;
    const [client, items] = first;
    const item = items.pop();
    this.#size -= 1;
    this.#byClient.delete(client);
    if (items.length > 0) this.#byClient.set(client, items);
    return item;
  }

  #drop(client: string): T | undefined {
    const share = this.#most / this.#byClient.size;
    const from = (this.#byClient.get(client)?.length ?? 0) >= share ? client : this.#longest();
    const items = this.#byClient.get(from);
    const dropped = items?.shift();
    this.#size -= 1;
    if (items?.length === 0) this.#byClient.delete(from);
    return dropped;
  }

  #longest(): string {
    let found = '';
    let most = 0;
    for (const [client, { length }] of this.#byClient) if (length > most) [found, most] = [client, length];
    return found;
  }
}
