import { isSameElement } from '../nftables/program.ts';
import type { Element } from './program.ts';

/** What one transaction is to change, and who uses what once the kernel has it. */
export interface ElementDraft {
  readonly remove: readonly Element[];
  readonly add: readonly Element[];
  readonly users: ReadonlyMap<string, number>;
}

/** What this process believes the companion table holds, and how many frontends use each element. */
export class ElementStore {
  readonly #present = new Map<string, Element>();
  readonly #users = new Map<string, number>();

  /** Takes over what was read from the kernel; nobody uses it yet. */
  load(elements: Iterable<Element>): void {
    this.#present.clear();
    this.#users.clear();
    for (const element of elements) this.#present.set(elementId(element), element);
  }

  /** What changes when some users are gone and others come. With `purge`, what nobody uses goes too. */
  draft(released: Iterable<Element>, claimed: Iterable<Element>, purge: boolean): ElementDraft {
    const users = new Map<string, number>();
    const wanted = new Map<string, Element>();
    const count = (element: Element, by: number) => {
      const id = elementId(element);
      users.set(id, (users.get(id) ?? this.#users.get(id) ?? 0) + by);
      return id;
    };
    for (const element of released) count(element, -1);
    for (const element of claimed) wanted.set(count(element, 1), element);
    const remove: Element[] = [];
    const add: Element[] = [];
    for (const [id, number] of users) {
      const present = this.#present.get(id);
      const next = number > 0 ? (wanted.get(id) ?? present) : undefined;
      if (present !== undefined && next !== undefined && isSameElement(present, next)) continue;
      if (present !== undefined) remove.push(present);
      if (next !== undefined) add.push(next);
    }
    if (purge) {
      for (const [id, present] of this.#present) {
        if (!users.has(id) && !this.#users.has(id)) remove.push(present);
      }
    }
    return { remove, add, users };
  }

  record({ remove, add, users }: ElementDraft): void {
    for (const element of remove) this.#present.delete(elementId(element));
    for (const element of add) this.#present.set(elementId(element), element);
    for (const [id, number] of users) {
      if (number > 0) this.#users.set(id, number);
      else this.#users.delete(id);
    }
  }
}

/** Identity of an element: one text for a set and a key. */
export function elementId({ family, set, key }: Pick<Element, 'family' | 'set' | 'key'>): string {
  return `${family} ${set} ${key.toString('latin1')}`;
}
