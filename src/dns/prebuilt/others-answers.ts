import type { Names } from '../records.ts';
import type { Reply } from '../reply.ts';
import type { Query } from '../wire/query.ts';
import { othersSize } from './layout.ts';
import { PrebuiltWriter, type Life, type OthersKind } from './writer.ts';

/**
 * Answers of upstream servers that a server's threads give by themselves for a while. Only of names that no handler before
 * the last one will ever answer: none of the cluster's, and no address, which may become one of it.
 */
export class OthersAnswers {
  readonly #cluster: Names | undefined;
  readonly #writer: PrebuiltWriter;
  #isOpen = true;
  #given: readonly [number, number] = [0, 0];

  /** `now` is Unix milliseconds. */
  constructor(cluster: Names | undefined, now: () => number) {
    this.#cluster = cluster;
    this.#writer = new PrebuiltWriter(now, othersSize);
  }

  get memory(): SharedArrayBuffer {
    return this.#writer.memory;
  }

  /** Gives a reply, as it is at the start of its life. */
  put(query: Query, reply: Reply, life: Life): void {
    if (this.#isOpen && this.#isOthers(query.key)) this.#writer.putFor(kindOf(query), query.key, reply, life);
  }

  /** How often the answer to a query was given since the last time this was asked. */
  takeGiven(query: Query): number {
    return this.#writer.takeGiven(kindOf(query), query.key);
  }

  /** Nothing is put here any more: a handler must see every query. */
  close(): void {
    this.#isOpen = false;
  }

  /** Answers given since the last look. */
  look(): { readonly success: number; readonly denial: number } {
    const [success, denial] = this.#given;
    this.#given = this.#writer.givenSoFar();
    return { success: (this.#given[0] - success) >>> 0, denial: (this.#given[1] - denial) >>> 0 };
  }

  #isOthers(key: string): boolean {
    if (this.#cluster === undefined) return true;
    return !key.endsWith('\x04arpa\0') && this.#cluster.find(key).kind === 'outside';
  }
}

function kindOf({ type, edns, checkingDisabled }: Query): OthersKind {
  return { type, dnssecOk: edns?.dnssecOk ?? false, checkingDisabled };
}
