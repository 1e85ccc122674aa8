import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../observe/log.ts';
import type { Frontend } from '../routing/frontend.ts';
import { type NodeFacts, noFacts } from './node-facts.ts';
import { saveState } from './state-file.ts';

/** The last known state is written at most this often. */
const saveEveryMs = 10_000;

interface Known {
  readonly node: NodeFacts;
  /** Changes with the frontends. */
  readonly version: number;
}

export interface StateSaverOptions {
  /** The folder; undefined: nothing is written. */
  readonly dataDir: string | undefined;
  /** What is known now; undefined while nothing is in force. */
  readonly known: () => Known | undefined;
  readonly frontends: () => readonly Frontend[];
  readonly logger: Logger;
}

/** Writes the last known state down when it changed, one write at a time; what failed is tried again. */
export class StateSaver implements Disposable {
  readonly #options: StateSaverOptions;
  readonly #timer = setInterval(() => void this.save(), saveEveryMs).unref();
  #saving: Promise<void> = Promise.resolve();
  #saved: Known = { version: -1, node: noFacts };

  constructor(options: StateSaverOptions) {
    this.#options = options;
  }

  /** Resolves when what is known now has been written, or could not be. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#saveChanged());
    return this.#saving;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #saveChanged(): Promise<void> {
    const { dataDir, logger } = this.#options;
    const known = this.#options.known();
    if (dataDir === undefined || known === undefined || isDeepStrictEqual(known, this.#saved)) return;
    try {
      await saveState(dataDir, { frontends: this.#options.frontends(), node: known.node });
      this.#saved = known;
    } catch (error) {
      logger.warn('the last known state could not be written; trying again', { dataDir, error });
    }
  }
}
