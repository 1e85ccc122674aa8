import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLogger } from '../observe/log.ts';
import { noFacts } from './node-facts.ts';
import { loadState } from './state-file.ts';
import { StateSaver } from './state-saver.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-state-'));
after(() => rmSync(folder, { recursive: true }));

test('the state is written when frontends or what is known of the node changed, and only then', async () => {
  const dataDir = join(folder, 'changes');
  let [version, node, writes] = [1, noFacts, 0];
  const frontends = () => {
    writes += 1;
    return [];
  };
  using saver = new StateSaver({ dataDir, known: () => ({ version, node }), frontends, logger: silentLogger });
  await Promise.all([saver.save(), saver.save()]);
  assert.equal(writes, 1);
  node = { primary: ['192.0.2.1'], podCidrs: [] };
  await saver.save();
  assert.deepEqual(await loadState(dataDir), { frontends: [], node });
  version = 2;
  await saver.save();
  assert.equal(writes, 3);
});

test('a state that could not be written is written the next time', async () => {
  const dataDir = join(folder, 'in-the-way');
  writeFileSync(dataDir, 'a file where the folder belongs');
  const known = () => ({ version: 1, node: noFacts });
  using saver = new StateSaver({ dataDir, known, frontends: () => [], logger: silentLogger });
  await saver.save();
  rmSync(dataDir);
  await saver.save();
  assert.deepEqual(await loadState(dataDir), { frontends: [], node: noFacts });
});
