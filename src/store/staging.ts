import type { CommitResult, Entry, Expected, Operation, StoreEvent } from './store.ts';

/** Commits of one batch, checked in order against the state before the batch and the changes of those before them. */
export class Staging {
  readonly events: StoreEvent[] = [];
  private readonly changed = new Map<string, Entry | undefined>();
  private readonly lookup: (key: string) => Entry | undefined;
  private newest: number;

  constructor(revision: number, lookup: (key: string) => Entry | undefined) {
    this.newest = revision;
    this.lookup = lookup;
  }

  /** The revision after the commits staged so far. */
  get revision(): number {
    return this.newest;
  }

  /** Takes the operations in, or says which of them does not find what it expects. Throws when a key comes twice. */
  stage(operations: readonly Operation[]): CommitResult {
    checkDistinct(operations);
    for (const { key, expected } of operations) {
      const current = this.current(key);
      if (!isAsExpected(current, expected)) return { ok: false, conflict: key, current };
    }
    const changes = operations.filter(({ type, key }) => type === 'put' || this.current(key) !== undefined);
    if (changes.length > 0) this.newest++;
    for (const change of changes) this.apply(change);
    return { ok: true, revision: this.newest };
  }

  private current(key: string): Entry | undefined {
    return this.changed.has(key) ? this.changed.get(key) : this.lookup(key);
  }

  private apply(operation: Operation): void {
    const { type, key } = operation;
    const previous = this.current(key);
    const entry = operation.type === 'put' ? nextEntry(key, operation.value, this.newest, previous) : undefined;
    this.changed.set(key, entry);
    this.events.push({ type, key, revision: this.newest, entry, previous });
  }
}

function nextEntry(key: string, value: Uint8Array, modRevision: number, previous: Entry | undefined): Entry {
  return { key, value, createRevision: previous?.createRevision ?? modRevision, modRevision };
}

function isAsExpected(current: Entry | undefined, expected: Expected): boolean {
  if (expected === 'any') return true;
  return expected === 'absent' ? current === undefined : current?.modRevision === expected;
}

function checkDistinct(operations: readonly Operation[]): void {
  if (operations.length < 2) return;
  const keys = new Set(operations.map(({ key }) => key));
  if (keys.size < operations.length) throw new TypeError('a commit names the same key twice');
}
