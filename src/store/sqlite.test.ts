import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { array, assert as assertProperty, asyncProperty, boolean, constantFrom, record } from 'fast-check';
import { describeStore } from './contract.ts';
import { StoreClosedError, StoreCorruptError, StoreLockedError, StoreOpenError, StoreWriteError } from './errors.ts';
import { openSqliteStore } from './sqlite.ts';
import type { Operation, Store, StoreEvent } from './store.ts';
import { killRound } from './testing/kill-rounds.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-store-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = (): string => join(folder, `${files++}.db`);

function put(key: string, value: string): Operation {
  return { type: 'put', key, value: Buffer.from(value), expected: 'any' };
}

function remove(key: string): Operation {
  return { type: 'delete', key, expected: 'any' };
}

async function history(store: Store, from: number): Promise<readonly StoreEvent[]> {
  for await (const events of store.watch('/', { from, signal: new AbortController().signal })) return events;
  return [];
}

describeStore('the SQLite store', async (options) => openSqliteStore(newPath(), options));

describe('the SQLite file, opened again', () => {
  it('has the same state, revisions and history', async () => {
    const path = newPath();
    const first = openSqliteStore(path);
    await first.commit([put('/a', '1'), put('/b', '1')]);
    await first.commit([put('/a', '2')]);
    await first.commit([remove('/b')]);
    await first.commit([put('/b', '3')]);
    const before = [await first.list('/'), await history(first, 1), await first.list('/', { at: 3 })];
    await first[Symbol.asyncDispose]();
    await using second = openSqliteStore(path);
    assert.deepEqual(
      plain([await second.list('/'), await history(second, 1), await second.list('/', { at: 3 })]),
      plain(before),
    );
    assert.deepEqual(await second.commit([put('/c', '1')]), { ok: true, revision: 6 });
  });

  it('has what any sequence of grouped commits left', async () => {
    const operation = record({ key: constantFrom('/a', '/b', '/c'), isPut: boolean() });
    const commits = array(operation, { maxLength: 40 });
    await assertProperty(
      asyncProperty(array(commits, { maxLength: 3 }), async (groups) => {
        const path = newPath();
        const first = openSqliteStore(path);
        for (const [at, group] of groups.entries()) {
          await Promise.all(group.map(({ key, isPut }) => first.commit([isPut ? put(key, `${at}`) : remove(key)])));
        }
        const state = async (store: Store): Promise<unknown> => [
          await store.list('/'),
          store.revision > 1 ? await history(store, 1) : [],
        ];
        const before = plain(await state(first));
        await first[Symbol.asyncDispose]();
        await using second = openSqliteStore(path);
        assert.deepEqual(plain(await state(second)), before);
      }),
      { numRuns: 20 },
    );
  });

  it('goes on with the revisions when all history is gone', async () => {
    const path = newPath();
    const first = openSqliteStore(path);
    await first.commit([put('/a', '1')]);
    await first.commit([remove('/a')]);
    await first.compact(3);
    await new Promise((resolve) => setImmediate(resolve));
    await first[Symbol.asyncDispose]();
    await using second = openSqliteStore(path);
    assert.deepEqual([second.revision, second.compactedRevision], [3, 3]);
    assert.deepEqual(await second.list('/'), { entries: [], revision: 3, remaining: 0 });
    await second.commit([put('/a', '2')]);
    assert.equal((await second.get('/a'))?.createRevision, 4);
  });

  it('survives being killed while it writes', async () => {
    const path = newPath();
    let commits = 0;
    for (const [round, delay] of [3, 40, 120].entries()) commits += await killRound(path, round, delay);
    assert.ok(commits > 0);
  });
});

describe('the SQLite file, in trouble', () => {
  it('is opened by one at a time, and the error names the holder', async () => {
    const path = newPath();
    const holder = openSqliteStore(path);
    assert.throws(
      () => openSqliteStore(path),
      (error) => error instanceof StoreLockedError && error.pid === process.pid && error.path === path,
    );
    const script = `import { openSqliteStore } from ${JSON.stringify(import.meta.resolve('./sqlite.ts'))}; openSqliteStore(${JSON.stringify(path)});`;
    const other = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    assert.notEqual(other.status, 0);
    assert.match(other.stderr, new RegExp(`${path} is in use by process ${process.pid}`));
    await holder.commit([put('/a', '1')]);
    await holder[Symbol.asyncDispose]();
    await using next = openSqliteStore(path);
    assert.equal(next.revision, 2);
  });

  it('can be read by its owner only', async () => {
    const path = newPath();
    await using store = openSqliteStore(path);
    await store.commit([put('/secret', 'x')]);
    for (const file of [path, `${path}-wal`]) assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  const unusable: Readonly<
    Record<
      string,
      { readonly make: (path: string) => void | Promise<void>; readonly error: new (...args: never[]) => Error }
    >
  > = {
    'a folder': { make: (path) => mkdirSync(path), error: StoreOpenError },
    text: {
      make: (path) => writeFileSync(path, 'hello, this is no database at all'.repeat(100)),
      error: StoreCorruptError,
    },
    'another program’s database': { make: (path) => execSql(path, 'CREATE TABLE t(x)'), error: StoreCorruptError },
    'a store of a later version': { make: (path) => makeNewer(path), error: StoreCorruptError },
    'a damaged store': { make: (path) => makeDamaged(path), error: StoreCorruptError },
  };
  for (const [what, { make, error }] of Object.entries(unusable)) {
    it(`is refused and left alone when it is ${what}`, async () => {
      const path = newPath();
      await make(path);
      const before = statSync(path).isFile() ? readFileSync(path) : undefined;
      assert.throws(() => openSqliteStore(path), error);
      if (before !== undefined) assert.ok(readFileSync(path).equals(before));
    });
  }

  it('is refused when its folder is missing', () => {
    assert.throws(() => openSqliteStore(join(folder, 'missing', 'store.db')), StoreOpenError);
  });

  it('is refused when it cannot be written', () => {
    const path = newPath();
    writeFileSync(path, '');
    chmodSync(path, 0o400);
    asOrdinaryUser(() => assert.throws(() => openSqliteStore(path), StoreOpenError));
  });

  it(
    'fails writes and serves reads while the disk is full',
    { skip: !canMount() && 'mounting needs privileges' },
    () => {
      const mount = join(folder, 'small');
      mkdirSync(mount);
      const script = fileURLToPath(new URL('testing/write-until-full.ts', import.meta.url));
      const command = 'mount -t tmpfs -o size=4m none "$0" && exec "$1" "$2" "$0/store.db"';
      const output = execFileSync('unshare', ['-rm', 'sh', '-c', command, mount, process.execPath, script], {
        encoding: 'utf8',
      });
      assert.match(output, /^ok \d+/);
    },
  );

  it('answers and shows a commit only when the journal is on the disk', async () => {
    const gates: PromiseWithResolvers<void>[] = [];
    const sync = (): Promise<void> => (gates[gates.push(Promise.withResolvers<void>()) - 1] ?? assert.fail()).promise;
    const store = openSqliteStore(newPath(), { sync });
    let isAnswered = false;
    const first = store.commit([put('/a', '1')]).then(() => (isAnswered = true));
    while (gates.length === 0) await nextTurn();
    const second = store.commit([put('/a', '2')]);
    await nextTurn();
    assert.deepEqual([isAnswered, store.revision, gates.length], [false, 1, 1]);
    gates[0]?.resolve();
    await first;
    assert.equal(store.revision, 2);
    while (gates.length === 1) await nextTurn();
    gates[1]?.resolve();
    assert.deepEqual(await second, { ok: true, revision: 3 });
    await store[Symbol.asyncDispose]();
  });

  it('fails all writes and serves reads after the disk failed to take one', async () => {
    let isBroken = false;
    const sync = async (): Promise<void> => {
      if (isBroken) throw new Error('EIO: i/o error, fdatasync');
    };
    await using store = openSqliteStore(newPath(), { sync });
    await store.commit([put('/a', '1')]);
    isBroken = true;
    await assert.rejects(store.commit([put('/a', '2')]), StoreWriteError);
    isBroken = false;
    await assert.rejects(store.commit([put('/a', '3')]), StoreWriteError);
    assert.equal(Buffer.from((await store.get('/a'))?.value ?? '').toString(), '1');
  });

  it('refuses everything once it is closed', async () => {
    const store = openSqliteStore(newPath());
    const last = store.commit([put('/a', '1')]);
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    assert.deepEqual(await last, { ok: true, revision: 2 });
    await assert.rejects(store.commit([put('/a', '2')]), StoreClosedError);
    await assert.rejects(store.get('/a'), StoreClosedError);
    await assert.rejects(history(store, 1), StoreClosedError);
  });
});

function canMount(): boolean {
  return spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', folder]).status === 0;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function execSql(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

async function makeNewer(path: string): Promise<void> {
  await makeStore(path);
  execSql(path, "UPDATE meta SET v = 99 WHERE k = 'schema'");
}

async function makeDamaged(path: string): Promise<void> {
  await makeStore(path);
  const bytes = readFileSync(path);
  for (let page = 8192; page < bytes.length; page += 8192) bytes.fill(0xab, page, page + 200);
  writeFileSync(path, bytes);
}

/** A closed store with some pages of data. */
async function makeStore(path: string): Promise<void> {
  await using store = openSqliteStore(path);
  const keys = Array.from({ length: 50 }, (_, index) => `/${index}`);
  await store.commit(keys.map((key) => put(key, 'x'.repeat(1000))));
}

/** With bytes as text, so that Buffers and Uint8Arrays compare. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, plain(it)]));
}

/** Root may write anything, so a refusal can only be seen as somebody else. */
function asOrdinaryUser(task: () => void): void {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    task();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
