/** Chooses a share of what comes by, evenly. */
export class Sampler {
  /** 0 to 1. */
  share: number;
  #owed = 0;

  constructor(share = 0) {
    this.share = share;
  }

  /** Whether the next one is chosen. */
  next(): boolean {
    if (this.share === 0) return false;
    this.#owed += this.share;
    if (this.#owed < 1) return false;
    this.#owed -= 1;
    return true;
  }
}
