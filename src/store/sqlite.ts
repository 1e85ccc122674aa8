import { closeSync, fdatasync, openSync, rmSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { CoreStore, type StoreOptions } from './core-store.ts';
import { StoreWriteError } from './errors.ts';
import type { Batch, Persistence } from './persistence.ts';
import { isFatal, openDatabase, openingError, pidFile, writingError } from './sqlite-database.ts';
import { loadSaved, type Loaded } from './sqlite-load.ts';
import type { Store, StoreEvent } from './store.ts';

/** How a SQLite store behaves; everything has a default. */
export interface SqliteStoreOptions extends StoreOptions {
  /** Brings an open file to the disk. */
  readonly sync?: (descriptor: number) => Promise<void>;
}

/**
 * Opens (or makes) the store in the SQLite file at `path`. A commit survives power loss before it is answered. Reads are
 * served from memory. One process at a time.
 *
 * @throws StoreLockedError when it is open elsewhere, StoreOpenError, StoreCorruptError
 */
export function openSqliteStore(path: string, options: SqliteStoreOptions = {}): Store {
  const db = openDatabase(path);
  try {
    const saved = loadSaved(db);
    const persistence = new SqlitePersistence({ path, db, saved, sync: options.sync ?? promisify(fdatasync) });
    return new CoreStore(persistence, saved, options);
  } catch (error) {
    db.close();
    throw openingError(path, error);
  }
}

interface Opened {
  readonly path: string;
  readonly db: DatabaseSync;
  readonly saved: Loaded;
  readonly sync: (descriptor: number) => Promise<void>;
}

/**
 * Writes batches. SQLite appends a transaction to its journal (`synchronous=NORMAL` keeps the file whole whatever
 * happens); bringing the journal to the disk is done here, off the event loop, and only then is the batch durable.
 */
class SqlitePersistence implements Persistence {
  private readonly path: string;
  private readonly db: DatabaseSync;
  private readonly sync: (descriptor: number) => Promise<void>;
  private readonly journal: number;
  private readonly statements: Statements;
  /** Row of each key. The index of keys is kept here and not in the file, where every write would pay for it. */
  private readonly rows: Map<string, number>;
  private nextRow: number;
  private firstLogId: number;
  private nextLogId: number;
  private fatal: StoreWriteError | undefined;

  constructor({ path, db, saved, sync }: Opened) {
    this.path = path;
    this.db = db;
    this.sync = sync;
    this.journal = openSync(`${path}-wal`, 'r+');
    this.statements = prepare(db);
    this.rows = new Map(saved.rows);
    this.nextRow = saved.nextRow;
    this.firstLogId = saved.firstLogId;
    this.nextLogId = saved.firstLogId + saved.events.length;
  }

  async write(batch: Batch): Promise<void> {
    if (this.fatal !== undefined) throw this.fatal;
    this.writeTransaction(batch);
    if (batch.events.length === 0) return;
    try {
      await this.sync(this.journal);
    } catch (error) {
      this.fatal = writingError(this.path, error);
      throw this.fatal;
    }
  }

  close(): void {
    closeSync(this.journal);
    this.db.close();
    rmSync(pidFile(this.path), { force: true });
  }

  private writeTransaction(batch: Batch): void {
    const rows = this.rowsAfter(batch.events);
    try {
      this.db.exec('BEGIN IMMEDIATE');
      this.writeEvents(batch.events, rows);
      this.forget(batch);
      this.db.exec('COMMIT');
    } catch (error) {
      throw this.undo(error);
    }
    this.keepRows(batch.events, rows);
    this.nextLogId += batch.events.length;
    this.firstLogId += batch.forget;
  }

  /** The rows of the batch's keys: those they have, and new ones for new keys. */
  private rowsAfter(events: readonly StoreEvent[]): ReadonlyMap<string, number> {
    const rows = new Map<string, number>();
    let next = this.nextRow;
    for (const { key } of events) if (!rows.has(key)) rows.set(key, this.rows.get(key) ?? next++);
    return rows;
  }

  private keepRows(events: readonly StoreEvent[], rows: ReadonlyMap<string, number>): void {
    for (const { key, entry } of events) {
      const row = rows.get(key) ?? 0;
      this.nextRow = Math.max(this.nextRow, row + 1);
      if (entry === undefined) this.rows.delete(key);
      else this.rows.set(key, row);
    }
  }

  private writeEvents(events: readonly StoreEvent[], rows: ReadonlyMap<string, number>): void {
    const { create, update, remove, log } = this.statements;
    let id = this.nextLogId;
    for (const { key, revision, entry, previous } of events) {
      const row = rows.get(key) ?? 0;
      if (entry === undefined) remove.run(row);
      else if (previous === undefined) create.run(row, key, entry.createRevision, revision, entry.value);
      else update.run(revision, entry.value, row);
      const { createRevision = null, modRevision = null, value = null } = previous ?? {};
      log.run(id++, revision, key, createRevision, modRevision, value);
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
  readonly create: StatementSync;
  readonly update: StatementSync;
  readonly remove: StatementSync;
  readonly log: StatementSync;
  readonly trim: StatementSync;
  readonly meta: StatementSync;
}

function prepare(db: DatabaseSync): Statements {
  return {
    create: db.prepare('INSERT INTO obj(id, key, created, rev, val) VALUES (?, ?, ?, ?, ?)'),
    update: db.prepare('UPDATE obj SET rev = ?, val = ? WHERE id = ?'),
    remove: db.prepare('DELETE FROM obj WHERE id = ?'),
    log: db.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)'),
    trim: db.prepare('DELETE FROM log WHERE id < ?'),
    meta: db.prepare('UPDATE meta SET v = ? WHERE k = ?'),
  };
}
