import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { processStart } from '../../linux/process-start.ts';
import { type RunFile, writeRunFile } from '../run-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-plane-'));
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true }));
const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

/** What somebody who is not root is told, in a network namespace without a proxy of root. */
function told(kubeconfig: string): string {
  const script = `
    const { requirePlane } = await import('${join(import.meta.dirname, 'plane-in-force.ts')}');
    const io = { env: { KUBECONFIG: '${kubeconfig}', HOME: '${folder}/none' }, uid: 65534, cwd: '${folder}' };
    await requirePlane(io).catch(({ message, hint, code }) => console.log(code, message + '; ' + hint));`;
  const [program = '', ...args] = ['unshare', '-n', ...nobody, process.execPath, '--input-type=module', '-e', script];
  return execFileSync(program, args, { encoding: 'utf8', timeout: 60_000 });
}

test('without root, the state of a userspace plane is said to be in its process, where no sudo helps', () => {
  const run = { version: 1, pid: process.pid, processStart: processStart(process.pid), dataDir: folder } as RunFile;
  writeRunFile({ ...run, plane: { name: 'userspace', reason: 'no privileges' } });
  const text = told(join(folder, 'kubeconfig'));
  assert.match(
    text,
    new RegExp(`^1 the userspace plane is in force, with its state in its process \\(${process.pid}\\)`),
  );
  assert.doesNotMatch(text, /sudo/);
});

test('where nothing is known, sudo is proposed with what it cannot show', () => {
  assert.match(told(join(folder, 'none', 'kubeconfig')), /^8 .*run it with sudo; of a userspace plane.*in its process/);
});
