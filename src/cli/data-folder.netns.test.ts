import assert from 'node:assert/strict';
import { existsSync, mkdtempDisposableSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bindMount } from '../linux/mounts.ts';
import { inNewMountNamespace } from '../linux/namespaces.ts';
import { makeDataFolder, removeDataFolder } from './data-folder.ts';

test('a data folder is taken away, and emptied where something is mounted on it', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'fairlead-data-'));
  const path = join(folder.path, 'data');
  makeDataFolder(path, 0o700);
  inNewMountNamespace(() => {
    bindMount(path, path);
    writeFileSync(join(path, 'store.db'), '');
    removeDataFolder(path);
    assert.deepEqual(readdirSync(path), []);
  });
  removeDataFolder(path);
  assert.ok(!existsSync(path));
});
