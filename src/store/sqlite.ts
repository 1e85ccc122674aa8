import { statSync, rmSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { CoreStore, type StoreOptions } from './core-store.ts';
import { StoreWriteError } from './errors.ts';
import type { Batch, Persistence, Saved } from './persistence.ts';
import { isFatal, openDatabase, openingError, pidFile, writingError } from './sqlite-database.ts';
import { loadSaved } from './sqlite-load.ts';
import type { Store, StoreEvent } from './store.ts';

/**
 * Opens (or makes) the store in the SQLite file at `path`. A commit survives power loss before it is answered. Reads are
 * served from memory. One process at a time.
 *
 * @throws StoreLockedError when it is open elsewhere, StoreOpenError, StoreCorruptError
 */
export function openSqliteStore(path: string, options: StoreOptions = {}): Store {
  const db = openDatabase(path);
  try {
    const saved = loadSaved(db);
    return new CoreStore(new SqlitePersistence(path, db, saved), saved, options);
  } catch (error) {
    db.close();
    throw openingError(path, error);
  }
}

class SqlitePersistence implements Persistence {
  private readonly path: string;
  private readonly db: DatabaseSync;
  private readonly statements: Statements;
  private firstLogId: number;
  private nextLogId: number;
  private fatal: StoreWriteError | undefined;

  constructor(path: string, db: DatabaseSync, saved: Saved & { readonly firstLogId: number }) {
    this.path = path;
    this.db = db;
    this.statements = prepare(db);
    this.firstLogId = saved.firstLogId;
    this.nextLogId = saved.firstLogId + saved.events.length;
  }

  write(batch: Batch): void {
    if (this.fatal !== undefined) throw this.fatal;
    try {
      this.db.exec('BEGIN IMMEDIATE');
      this.writeEvents(batch.events);
      this.forget(batch);
      this.db.exec('COMMIT');
    } catch (error) {
      throw this.undo(error);
    }
    this.nextLogId += batch.events.length;
    this.firstLogId += batch.forget;
  }

  size(): number {
    return fileSize(this.path) + fileSize(`${this.path}-wal`);
  }

  close(): void {
    this.db.close();
    rmSync(pidFile(this.path), { force: true });
  }

  private writeEvents(events: readonly StoreEvent[]): void {
    const { put, remove, log } = this.statements;
    let id = this.nextLogId;
    for (const { key, revision, entry, previous } of events) {
      if (entry === undefined) remove.run(key);
      else put.run(key, entry.createRevision, revision, entry.value);
      log.run(
        id++,
        revision,
        key,
        previous?.createRevision ?? null,
        previous?.modRevision ?? null,
        previous?.value ?? null,
      );
    }
  }

  /** The newest revision is only noted here: otherwise the newest row of the log tells it. */
  private forget({ events, forget, revision, compactedRevision }: Batch): void {
    if (events.length > 0) return;
    this.statements.trim.run(this.firstLogId + forget);
    this.statements.meta.run(revision, 'revision');
    this.statements.meta.run(compactedRevision, 'compacted');
    this.db.exec('PRAGMA incremental_vacuum(64)');
  }

  private undo(error: unknown): StoreWriteError {
    const failure = writingError(this.path, error);
    if (isFatal(error)) this.fatal = failure;
    if (this.db.isTransaction) this.db.exec('ROLLBACK');
    return failure;
  }
}

interface Statements {
  readonly put: StatementSync;
  readonly remove: StatementSync;
  readonly log: StatementSync;
  readonly trim: StatementSync;
  readonly meta: StatementSync;
}

function prepare(db: DatabaseSync): Statements {
  return {
    put: db.prepare(`INSERT INTO obj(key, created, rev, val) VALUES (?, ?, ?, ?)
      ON CONFLICT(key) DO UPDATE SET created = excluded.created, rev = excluded.rev, val = excluded.val`),
    remove: db.prepare('DELETE FROM obj WHERE key = ?'),
    log: db.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)'),
    trim: db.prepare('DELETE FROM log WHERE id < ?'),
    meta: db.prepare('UPDATE meta SET v = ? WHERE k = ?'),
  };
}

function fileSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
