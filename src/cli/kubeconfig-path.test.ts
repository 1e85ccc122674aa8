import assert from 'node:assert/strict';
import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { resolveKubeconfig } from './kubeconfig-path.ts';

function home(...files: readonly string[]) {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'fairlead-home-'));
  for (const file of files) {
    mkdirSync(dirname(join(folder.path, file)), { recursive: true });
    writeFileSync(join(folder.path, file), '');
  }
  return folder;
}

const running = '.local/state/fairlead/kubeconfig';
const usual = '.kube/config';

function resolveIn(path: string, flag: string | undefined, env: Readonly<Record<string, string>> = {}) {
  return resolveKubeconfig(flag, { env: { HOME: path, ...env }, uid: 1000, cwd: path });
}

test('--kubeconfig wins over everything', async () => {
  using folder = home('mine', 'theirs', running, usual);
  assert.deepEqual(await resolveIn(folder.path, 'mine', { KUBECONFIG: 'theirs' }), [join(folder.path, 'mine')]);
});

test('every file of $KUBECONFIG that exists is used', async () => {
  using folder = home('a', 'c', running);
  const found = await resolveIn(folder.path, undefined, { KUBECONFIG: 'a:b:c' });
  assert.deepEqual(found, [join(folder.path, 'a'), join(folder.path, 'c')]);
});

test('the running fairlead comes before ~/.kube/config', async () => {
  using both = home(running, usual);
  assert.deepEqual(await resolveIn(both.path, undefined), [join(both.path, running)]);
  using one = home(usual);
  assert.deepEqual(await resolveIn(one.path, undefined), [join(one.path, usual)]);
});

test('without any, it says how to start a cluster', async () => {
  using folder = home();
  await assert.rejects(resolveIn(folder.path, undefined), { code: 4, hint: /fairlead up/ });
});

test('a file that is named and missing is an error, not a reason to use another cluster', async () => {
  using folder = home(running);
  await assert.rejects(resolveIn(folder.path, 'gone'), { code: 3, message: /gone \(from --kubeconfig\)/ });
  await assert.rejects(resolveIn(folder.path, undefined, { KUBECONFIG: 'gone' }), { code: 3 });
});
