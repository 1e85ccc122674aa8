/**
 * Runs on a small disk: writes to the store at argv[2] until the disk is full, then checks that reads go on, that the
 * failed writes left nothing, and that writes succeed again once there is room. Prints `ok` and the counts.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { StoreWriteError } from '../errors.ts';
import { openSqliteStore } from '../sqlite.ts';

const path = process.argv[2] ?? '';
const ballast = `${path}.ballast`;
writeFileSync(ballast, Buffer.alloc(1024 * 1024));
const written: string[] = [];

{
  await using store = openSqliteStore(path);
  const value = Buffer.alloc(20_000, 'v');
  const put = (key: string) => store.commit([{ type: 'put', key, value, expected: 'absent' }]);
  const failure = await writeUntilFailure(put);
  assert.ok(failure instanceof StoreWriteError && failure.isDiskFull, `${failure}`);
  assert.equal((await store.list('/')).entries.length, written.length);
  assert.equal(store.revision, written.length + 1);
  rmSync(ballast);
  const again = await put('/again');
  assert.deepEqual(again, { ok: true, revision: written.length + 2 });
}

async function writeUntilFailure(put: (key: string) => Promise<unknown>): Promise<unknown> {
  for (let count = 0; count < 10_000; count++) {
    try {
      await put(`/${count}`);
      written.push(`/${count}`);
    } catch (error) {
      return error;
    }
  }
  return undefined;
}

await using store = openSqliteStore(path);
assert.equal((await store.list('/')).entries.length, written.length + 1);
console.log(`ok ${written.length}`);
