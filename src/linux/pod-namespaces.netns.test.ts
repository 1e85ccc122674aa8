import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { isolateNetwork } from './namespaces.ts';
import { inNamespacesOfProcess } from './pod-namespaces.ts';

test('the mounts of a process are entered, even by a thread that never had any of its own', async () => {
  isolateNetwork();
  const script = 'mount -t tmpfs none /mnt && echo inside > /mnt/mark && echo ready && read line';
  const holder = spawn('unshare', ['--mount', 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  const { stdout } = inNamespacesOfProcess(holder.pid ?? 0, () =>
    spawnSync('cat', ['/mnt/mark'], { encoding: 'utf8' }),
  );
  assert.equal(stdout, 'inside\n');
  assert.notEqual(spawnSync('cat', ['/mnt/mark']).status, 0);
  holder.stdin.end('\n');
  await once(holder, 'close');
});
