import { DatabaseSync } from 'node:sqlite';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreCorruptError, StoreLockedError, StoreOpenError, StoreWriteError } from './errors.ts';

/** SQLite's primary result codes (https://www.sqlite.org/rescode.html). */
const codes = { error: 1, busy: 5, readonly: 8, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;
/** Extended code: the kernel could not bring a write to the disk; what it dropped is unknown. */
const IOERR_FSYNC = 1034;

const SCHEMA_VERSION = 1;
const PAGE_BYTES = 8192;
/** A checkpoint makes writers wait; small ones (2 MiB: 4 to 8 ms here) wait less long than SQLite's default. */
const PAGES_PER_CHECKPOINT = 256;

/*
 * obj holds the current state. Which row a key has is known in memory, so that no index has to be written. log holds
 * history as an undo log: what each change found under its key, so that a creation costs one copy of the value and a
 * change two. One row a change; ids count up by one.
 */
const schema = `
  CREATE TABLE meta(k TEXT PRIMARY KEY, v INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE obj(id INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT NULL, rev INTEGER NOT NULL,
    val BLOB NOT NULL);
  CREATE TABLE log(id INTEGER PRIMARY KEY, rev INTEGER NOT NULL, key TEXT NOT NULL, old_created INTEGER, old_rev INTEGER,
    old_val BLOB);
  INSERT INTO meta VALUES ('schema', ${SCHEMA_VERSION}), ('revision', 1), ('compacted', 0);
`;

/**
 * Opens the database for this process alone (a kernel lock that dies with the process), and makes the tables in a new
 * file. The file `<path>.pid` beside it tells the next one who holds it.
 *
 * @throws StoreLockedError, StoreOpenError, StoreCorruptError
 */
export function openDatabase(path: string): DatabaseSync {
  const db = openFile(path);
  try {
    db.exec('PRAGMA locking_mode=EXCLUSIVE');
    if (isNew(db)) db.exec(`PRAGMA page_size=${PAGE_BYTES}; PRAGMA auto_vacuum=INCREMENTAL`);
    else checkVersion(db, path);
    db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=67108864');
    db.exec(`PRAGMA wal_autocheckpoint=${PAGES_PER_CHECKPOINT}`);
    db.exec('BEGIN IMMEDIATE');
    if (isNew(db)) db.exec(schema);
    db.exec('COMMIT');
    syncFolder(dirname(path));
    notePid(path);
    return db;
  } catch (error) {
    db.close();
    throw openingError(path, error);
  }
}

/** A new file is only found again when its folder is on the disk too. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** Only for the message that the next one gets: the lock is the kernel's, and a full disk is no reason not to start. */
function notePid(path: string): void {
  try {
    writeFileSync(pidFile(path), `${process.pid}\n`, { mode: 0o600 });
  } catch {
    rmSync(pidFile(path), { force: true });
  }
}

/** The file beside the store that names the process which has it open. */
export function pidFile(path: string): string {
  return `${path}.pid`;
}

/** Turns what SQLite threw while opening or reading into an error a user can act on. */
export function openingError(path: string, error: unknown): unknown {
  const options = { cause: error };
  const { code, reason } = describe(error);
  if (error instanceof TypeError) return new StoreCorruptError(path, reason, options);
  if (code === undefined) return error;
  switch (code & 0xff) {
    case codes.busy:
      return new StoreLockedError(path, readPid(path), options);
    case codes.corrupt:
    case codes.notADatabase:
    case codes.error:
      return new StoreCorruptError(path, reason, options);
    default:
      return new StoreOpenError(path, reason, options);
  }
}

/** Turns what SQLite threw while writing into an error a user can act on. */
export function writingError(path: string, error: unknown): StoreWriteError {
  const { code, reason } = describe(error);
  return new StoreWriteError(path, reason, code !== undefined && (code & 0xff) === codes.full, { cause: error });
}

/** Whether after this error nothing can be known about what is on disk, so that only a restart can tell. */
export function isFatal(error: unknown): boolean {
  const { code } = describe(error);
  return code === IOERR_FSYNC || (code !== undefined && (code & 0xff) === codes.corrupt);
}

/**
 * The file holds Secrets, so that it is made readable by its owner only; SQLite gives its journal the same mode. A file
 * that exists is not opened by us: closing it would drop the locks that this process holds on it (fcntl(2)).
 */
function openFile(path: string): DatabaseSync {
  try {
    if (!existsSync(path)) closeSync(openSync(path, 'ax', 0o600));
    return new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    const { code, reason } = describe(error);
    throw code === undefined ? new StoreOpenError(path, reason, { cause: error }) : openingError(path, error);
  }
}

function isNew(db: DatabaseSync): boolean {
  return db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.['tables'] === 0;
}

function checkVersion(db: DatabaseSync, path: string): void {
  const tables = new Set(
    db
      .prepare('SELECT name FROM sqlite_schema')
      .all()
      .map(({ name }) => name),
  );
  if (!tables.has('meta') || !tables.has('obj')) throw new StoreCorruptError(path, 'it is another program’s database');
  const version = db.prepare("SELECT v FROM meta WHERE k = 'schema'").get()?.['v'];
  if (version !== SCHEMA_VERSION) {
    throw new StoreCorruptError(path, `it has format ${version}, and this version of Fairlead reads ${SCHEMA_VERSION}`);
  }
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile(path), 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function describe(error: unknown): { readonly code: number | undefined; readonly reason: string } {
  if (!(error instanceof Error)) return { code: undefined, reason: String(error) };
  const code = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined;
  return { code, reason: error.message };
}
