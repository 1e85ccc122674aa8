import assert from 'node:assert/strict';
import { mkdtempDisposableSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDataFolder } from './data-folder.ts';

test('a data folder is made with what is missing above it, and only once', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'fairlead-data-'));
  const path = join(folder.path, 'a', 'b');
  makeDataFolder(path, 0o700);
  makeDataFolder(path, 0o755);
  assert.equal(statSync(path).mode & 0o777, 0o700);
});

test('a file in the way, and a place where folders cannot be made, are said', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'fairlead-data-'));
  const path = join(folder.path, 'file');
  writeFileSync(path, '');
  assert.throws(() => makeDataFolder(path, 0o700), /cannot make the data folder .*: it is a file/);
  assert.throws(() => makeDataFolder('/proc/fairlead/data', 0o700), /cannot make the data folder \/proc\/fairlead: /);
});
