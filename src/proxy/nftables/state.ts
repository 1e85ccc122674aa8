import type { Frontend, FrontendKey } from '../../routing/frontend.ts';
import { classBase, ignoreChain, refuseChain } from './classes.ts';
import {
  classesOf,
  type Element,
  type ElementContext,
  elementsOf,
  isSameElement,
  isSameProgram,
  loadOf,
  type Programmed,
  program,
  sharedElementsOf,
} from './program.ts';
import { shelfSize } from './schema.ts';

/** What one transaction is to change in a family, and what is true once the kernel has it. */
export interface Draft {
  /** Undefined for a frontend that goes. */
  readonly programmed: ReadonlyMap<FrontendKey, Programmed | undefined>;
  readonly remove: readonly Element[];
  readonly add: readonly Element[];
  /** New frontends: all that `elementsOf` makes of them comes too, made when it is written because it may be very much. */
  readonly fresh: readonly Programmed[];
  readonly context: ElementContext;
  /** Those of `remove` whose place one of `add` takes. */
  readonly replaced: readonly Element[];
  /** Chains that come into use, with their numbers. */
  readonly newClasses: ReadonlyMap<string, number>;
  readonly classUsers: ReadonlyMap<string, number>;
  readonly sharedUsers: ReadonlyMap<string, { readonly element: Element; readonly change: number }>;
}

/** How many frontends `samples` looks at. */
const sampledFrontends = 32;

/** Identity of an element: one text for a set and a key. */
function elementId(element: Pick<Element, 'set' | 'key'>): string {
  return `${element.set} ${element.key.toString('latin1')}`;
}

/**
 * What this process believes the kernel holds for one family: frontends, the numbers of their classes, and how many
 * frontends use each shared element. `draft` computes a change without touching anything; `record` makes it the belief.
 */
export class FamilyState {
  readonly programmed = new Map<FrontendKey, Programmed>();
  readonly #masqueradesAll: boolean;
  /** Number of each chain that has one; the constant two always do. */
  readonly #numbers = new Map<string, number>([
    [refuseChain, classBase],
    [ignoreChain, classBase + 1],
  ]);
  readonly #classUsers = new Map<string, number>();
  readonly #sharedUsers = new Map<string, number>();
  /** Elements by shelf. */
  readonly #shelves: number[] = [];

  constructor(masqueradesAll: boolean) {
    this.#masqueradesAll = masqueradesAll;
  }

  /** Takes over what was read from the kernel. */
  load(programmed: Iterable<Programmed>, classes: ReadonlyMap<number, string>): void {
    for (const [number, chain] of classes) this.#numbers.set(chain, number);
    for (const each of programmed) {
      this.programmed.set(each.frontend.key, each);
      addLoad(this.#shelves, each, 1);
      for (const chain of classesOf(each)) count(this.#classUsers, chain, 1);
      for (const element of sharedElementsOf(each)) count(this.#sharedUsers, elementId(element), 1);
    }
  }

  /** An element of each set that one of the first frontends needs: without it the set was flushed. */
  samples(): readonly Element[] {
    const context = {
      classNumber: (chain: string) => this.#numbers.get(chain) ?? 0,
      masqueradesAll: this.#masqueradesAll,
    };
    const found = new Map<Element['set'], Element>();
    for (const programmed of this.programmed.values().take(sampledFrontends)) {
      for (const element of [...elementsOf(programmed, context), ...sharedElementsOf(programmed)]) {
        if (element.keyEnd === undefined && !found.has(element.set)) found.set(element.set, element);
      }
    }
    return [...found.values()];
  }

  /** A frontend in both lists is one that changed. */
  draft(changed: readonly Frontend[], removed: readonly FrontendKey[]): Draft {
    const builder = new DraftBuilder(this.#numbers, this.#masqueradesAll);
    const shelves = [...this.#shelves];
    const wanted = new Map<FrontendKey, Frontend | undefined>(removed.map((key) => [key, undefined]));
    for (const frontend of changed) wanted.set(frontend.key, frontend);
    for (const [key, frontend] of wanted) {
      const old = this.programmed.get(key);
      if (old === undefined && frontend === undefined) continue;
      const next = frontend && program(frontend, old, roomyShelf(shelves));
      builder.change(key, old, next);
      if (old === undefined && next !== undefined) addLoad(shelves, next, 1);
    }
    return builder.finish(this.#sharedUsers);
  }

  record(draft: Draft): void {
    for (const [key, programmed] of draft.programmed) {
      const old = this.programmed.get(key);
      if (old !== undefined) addLoad(this.#shelves, old, -1);
      if (programmed === undefined) this.programmed.delete(key);
      else {
        this.programmed.set(key, programmed);
        addLoad(this.#shelves, programmed, 1);
      }
    }
    for (const [chain, number] of draft.newClasses) this.#numbers.set(chain, number);
    for (const [chain, change] of draft.classUsers) count(this.#classUsers, chain, change);
    for (const [id, { change }] of draft.sharedUsers) count(this.#sharedUsers, id, change);
  }

  /** Chains nobody uses, oldest first, beyond the `keep` newest: flapping endpoints need them again soon. */
  idleClasses(keep: number): readonly string[] {
    const idle = [...this.#numbers.keys()].filter(
      (chain) => !this.#classUsers.has(chain) && chain !== refuseChain && chain !== ignoreChain,
    );
    return idle.slice(0, Math.max(0, idle.length - keep));
  }

  classNumber(chain: string): number | undefined {
    return this.#numbers.get(chain);
  }

  forgetClass(chain: string): void {
    this.#numbers.delete(chain);
  }
}

/** Collects the differences of frontends one by one. */
class DraftBuilder {
  readonly #programmed = new Map<FrontendKey, Programmed | undefined>();
  readonly #remove: Element[] = [];
  readonly #add: Element[] = [];
  readonly #fresh: Programmed[] = [];
  readonly #replaced: Element[] = [];
  readonly #newClasses = new Map<string, number>();
  readonly #classUsers = new Map<string, number>();
  readonly #shared = new Map<string, { element: Element; change: number }>();
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #context: ElementContext;
  #nextNumber: number | undefined;

  constructor(numbers: ReadonlyMap<string, number>, masqueradesAll: boolean) {
    this.#numbers = numbers;
    this.#context = { classNumber: (chain) => this.#number(chain), masqueradesAll };
  }

  change(key: FrontendKey, old: Programmed | undefined, next: Programmed | undefined): void {
    this.#programmed.set(key, next);
    const { masqueradesAll } = this.#context;
    if (old !== undefined && next !== undefined && isSameProgram(old, next, masqueradesAll)) return;
    if (old === undefined && next !== undefined) this.#addFresh(next);
    else this.#difference(old ? elementsOf(old, this.#context) : [], next ? elementsOf(next, this.#context) : []);
    this.#use(old, -1);
    this.#use(next, 1);
  }

  /** Shared elements come with their first user and go with their last. */
  finish(users: ReadonlyMap<string, number>): Draft {
    for (const [id, { element, change }] of this.#shared) {
      const before = users.get(id) ?? 0;
      if (before === 0 && change > 0) this.#add.push(element);
      if (before > 0 && before + change === 0) this.#remove.push(element);
    }
    return {
      programmed: this.#programmed,
      remove: this.#remove,
      add: this.#add,
      fresh: this.#fresh,
      context: this.#context,
      replaced: this.#replaced,
      newClasses: this.#newClasses,
      classUsers: this.#classUsers,
      sharedUsers: this.#shared,
    };
  }

  #addFresh(programmed: Programmed): void {
    for (const chain of classesOf(programmed)) this.#number(chain);
    this.#fresh.push(programmed);
  }

  #difference(before: readonly Element[], after: readonly Element[]): void {
    const old = new Map(before.map((element) => [elementId(element), element]));
    for (const element of after) {
      const id = elementId(element);
      const same = old.get(id);
      if (same !== undefined && isSameElement(same, element)) {
        old.delete(id);
        continue;
      }
      this.#add.push(element);
      if (same !== undefined) this.#replaced.push(same);
    }
    this.#remove.push(...old.values());
  }

  #use(programmed: Programmed | undefined, by: 1 | -1): void {
    if (programmed === undefined) return;
    for (const chain of classesOf(programmed)) count(this.#classUsers, chain, by);
    for (const element of sharedElementsOf(programmed)) {
      const id = elementId(element);
      const entry = this.#shared.get(id);
      if (entry === undefined) this.#shared.set(id, { element, change: by });
      else entry.change += by;
    }
  }

  #number(chain: string): number {
    const known = this.#numbers.get(chain) ?? this.#newClasses.get(chain);
    if (known !== undefined) return known;
    this.#nextNumber ??= Math.max(...this.#numbers.values()) + 1;
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    this.#newClasses.set(chain, number);
    return number;
  }
}

/** The first shelf that is not full. */
function roomyShelf(shelves: readonly number[]): number {
  const roomy = shelves.findIndex((load) => load < shelfSize);
  return roomy < 0 ? shelves.length : roomy;
}

function addLoad(shelves: number[], programmed: Programmed, sign: 1 | -1): void {
  while (shelves.length <= programmed.shelf) shelves.push(0);
  shelves[programmed.shelf] = (shelves[programmed.shelf] ?? 0) + sign * loadOf(programmed);
}

function count(users: Map<string, number>, name: string, by: number): void {
  const next = (users.get(name) ?? 0) + by;
  if (next === 0) users.delete(name);
  else users.set(name, next);
}
