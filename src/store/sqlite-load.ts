import type { DatabaseSync } from 'node:sqlite';
import type { Saved } from './persistence.ts';
import type { Entry, StoreEvent } from './store.ts';

/** What the file holds, and the id of the oldest row of its log (of the next one to come, when it is empty). */
export function loadSaved(db: DatabaseSync): Saved & { readonly firstLogId: number } {
  const entries = loadEntries(db);
  const changes = loadChanges(db);
  const meta = (key: string): number => asNumber(db.prepare('SELECT v FROM meta WHERE k = ?').get(key)?.['v']);
  const revision = Math.max(meta('revision'), changes.at(-1)?.revision ?? 0);
  return {
    revision,
    compactedRevision: meta('compacted'),
    entries,
    events: toEvents(entries, changes),
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

function loadEntries(db: DatabaseSync): Entry[] {
  const entries: Entry[] = [];
  for (const { key, created, rev, val } of db.prepare('SELECT key, created, rev, val FROM obj').iterate()) {
    entries.push({
      key: asText(key),
      value: asBytes(val),
      createRevision: asNumber(created),
      modRevision: asNumber(rev),
    });
  }
  return entries;
}

function loadChanges(db: DatabaseSync): Change[] {
  const changes: Change[] = [];
  for (const row of db.prepare('SELECT * FROM log ORDER BY id').iterate()) {
    const key = asText(row['key']);
    changes.push({ id: asNumber(row['id']), revision: asNumber(row['rev']), key, previous: previousOf(key, row) });
  }
  return changes;
}

function previousOf(key: string, row: Record<string, unknown>): Entry | undefined {
  if (row['old_rev'] === null) return undefined;
  return {
    key,
    value: asBytes(row['old_val']),
    createRevision: asNumber(row['old_created']),
    modRevision: asNumber(row['old_rev']),
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
