/**
 * Notices that a lasting connection is dead: nothing is heard on it though it was asked. What was written says nothing, for
 * the kernel takes bytes for minutes after the way is gone. `onSilence` is called once nothing was heard for `mostMs`.
 */
export class Silence implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #heard = 0;
  #isOwed = false;

  constructor(mostMs: number, onSilence: () => void) {
    this.#timer = setTimeout(onSilence, mostMs).unref();
  }

  /** Something was asked; returns the mark for `hasLasted`. The time counts from the first question without an answer. */
  asked(): number {
    if (!this.#isOwed) this.#timer.refresh();
    this.#isOwed = true;
    return this.#heard;
  }

  heard(): void {
    this.#heard += 1;
    this.#isOwed = false;
    this.#timer.refresh();
  }

  /** Whether nothing was heard since `asked` gave this mark. */
  hasLasted(mark: number): boolean {
    return this.#heard === mark;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
