/** Something under way that takes a slot. */
interface Holder {
  readonly sinceMs: number;
  readonly giveUp: () => void;
}

/** A slot that was taken. Giving it back twice does nothing. */
export interface Slot {
  readonly giveBack: () => void;
}

/** Milliseconds after which something under way gives its slot to something newer of the same client. */
const patienceMs = 1000;

/**
 * Slots for what is under way, so that no client takes all of them: each may hold as many as are free (the dynamic
 * thresholds of Choudhury and Hahne, 1998). Alone it gets half, with n others like it one of n + 2 parts, and a newcomer
 * always finds some. A client with its share gets another slot for its oldest, once that has waited for a second.
 */
export class FairSlots {
  readonly #most: number;
  readonly #byClient = new Map<string, Set<Holder>>();
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes a slot; undefined when the client must do without. `giveUp` is called when the slot is taken away again. */
  take(client: string, nowMs: number, giveUp: () => void): Slot | undefined {
    if (!this.#makeRoom(client, nowMs)) return undefined;
    const holder = { sinceMs: nowMs, giveUp };
    const own = this.#byClient.get(client) ?? new Set();
    this.#byClient.set(client, own.add(holder));
    this.#taken += 1;
    return { giveBack: () => this.#remove(client, holder) };
  }

  #makeRoom(client: string, nowMs: number): boolean {
    const own = this.#byClient.get(client);
    if ((own?.size ?? 0) < this.#most - this.#taken) return true;
    const [oldest] = own ?? [];
    if (oldest === undefined || nowMs - oldest.sinceMs < patienceMs) return false;
    this.#remove(client, oldest);
    oldest.giveUp();
    return true;
  }

  #remove(client: string, holder: Holder): void {
    const own = this.#byClient.get(client);
    if (own?.delete(holder) !== true) return;
    this.#taken -= 1;
    if (own.size === 0) this.#byClient.delete(client);
  }
}
