import type { DatabaseSync } from 'node:sqlite';
import type { Saved } from './persistence.ts';
import type { Entry, StoreEvent } from './store.ts';

/** What the file holds, and where. */
export interface Loaded extends Saved {
  /** Row of each key in `obj`. */
  readonly rows: ReadonlyMap<string, number>;
  /** Behind the last row. */
  readonly nextRow: number;
  /** Id of the oldest row of the log; of the next one to come, when it is empty. */
  readonly firstLogId: number;
}

/** Reads the whole file. Throws TypeError when something in it is not what it should be. */
export function loadSaved(db: DatabaseSync): Loaded {
  const { entries, rows, nextRow } = loadEntries(db);
  const changes = loadChanges(db);
  const meta = (key: string): number => asNumber(db.prepare('SELECT v FROM meta WHERE k = ?').get(key)?.['v']);
  const revision = Math.max(meta('revision'), changes.at(-1)?.revision ?? 0);
  return {
    revision,
    compactedRevision: meta('compacted'),
    entries,
    events: toEvents(entries, changes),
    rows,
    nextRow,
    firstLogId: changes[0]?.id ?? 1,
  };
}

/** A row of the log: what a change found. */
interface Change {
  readonly id: number;
  readonly revision: number;
  readonly key: string;
  readonly previous: Entry | undefined;
}

function loadEntries(db: DatabaseSync): { entries: Entry[]; rows: Map<string, number>; nextRow: number } {
  const statement = db.prepare('SELECT id, key, created, rev, val FROM obj ORDER BY id');
  statement.setReturnArrays(true);
  const rows = new Map<string, number>();
  const entries = Array.from(statement.iterate(), (row) => {
    const [id, ...columns] = asRow(row);
    const entry = entryOf(columns);
    if (rows.has(entry.key)) throw new TypeError(`key ${entry.key} is in the store twice`);
    rows.set(entry.key, asNumber(id));
    return entry;
  });
  return { entries, rows, nextRow: (rows.get(entries.at(-1)?.key ?? '') ?? 0) + 1 };
}

function loadChanges(db: DatabaseSync): Change[] {
  const statement = db.prepare('SELECT id, rev, key, old_created, old_rev, old_val FROM log ORDER BY id');
  statement.setReturnArrays(true);
  return Array.from(statement.iterate(), (row) => {
    const [id, revision, key, ...old] = asRow(row);
    const previous = old[1] === null ? undefined : entryOf([key, ...old]);
    return { id: asNumber(id), revision: asNumber(revision), key: asText(key), previous };
  });
}

function entryOf([key, created, revision, value]: readonly unknown[]): Entry {
  return {
    key: asText(key),
    value: asBytes(value),
    createRevision: asNumber(created),
    modRevision: asNumber(revision),
  };
}

/** Walks back from the current state: what a change left is what the next change of the key found. */
function toEvents(entries: readonly Entry[], changes: readonly Change[]): StoreEvent[] {
  const after = new Map<string, Entry | undefined>(entries.map((entry) => [entry.key, entry]));
  const events: StoreEvent[] = [];
  for (const { key, revision, previous } of changes.toReversed()) {
    const entry = after.get(key);
    events.push({ type: entry === undefined ? 'delete' : 'put', key, revision, entry, previous });
    after.set(key, previous);
  }
  return events.toReversed();
}

function asRow(row: unknown): readonly unknown[] {
  if (!Array.isArray(row)) throw new TypeError('expected a row as an array');
  return row;
}

function asNumber(value: unknown): number {
  if (typeof value !== 'number') throw new TypeError(`expected a number in the store, found ${typeof value}`);
  return value;
}

function asText(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`expected text in the store, found ${typeof value}`);
  return value;
}

function asBytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`expected bytes in the store, found ${typeof value}`);
  return value;
}
