import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  createNetworkNamespace,
  inNetworkNamespace,
  isNetworkNamespace,
  isolateNetwork,
  removeNetworkNamespace,
} from './namespaces.ts';
import { inEachNetworkNamespace, listNetworkNamespaces } from './network-namespaces.ts';

const machine = statSync('/proc/self/ns/net').ino;
isolateNetwork();
const folder = mkdtempSync(join(tmpdir(), 'fairlead netns-'));
const mounted = join(folder, 'mounted');
after(() => {
  removeNetworkNamespace(mounted);
  rmSync(folder, { recursive: true });
});

const own = () => statSync('/proc/thread-self/ns/net').ino;

test('namespaces of processes and mounted ones are listed, each once, the own one first', async () => {
  createNetworkNamespace(mounted);
  const mountedInode = inNetworkNamespace(mounted, own);
  const process = spawn('unshare', ['-n', 'sh', '-c', 'echo ready; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(process.stdout, 'data');
  const held = statSync(`/proc/${process.pid}/ns/net`).ino;
  const listed = listNetworkNamespaces();
  const inodes = listed.map(({ inode }) => inode);
  assert.equal(inodes[0], own());
  for (const inode of [machine, mountedInode, held]) assert.ok(inodes.includes(inode));
  assert.equal(new Set(inodes).size, inodes.length);
  assert.equal(listed.find(({ inode }) => inode === mountedInode)?.path, mounted);

  const visited: number[] = [];
  const before = own();
  inEachNetworkNamespace(({ inode }) => {
    assert.equal(own(), inode);
    visited.push(inode);
  });
  for (const inode of [machine, mountedInode, held]) assert.ok(visited.includes(inode));
  assert.equal(own(), before, 'the thread came back');

  process.kill();
  await once(process, 'exit');
  assert.ok(!listNetworkNamespaces().some(({ inode }) => inode === held), 'nothing keeps it alive');
});

test('an error inside a namespace brings the thread back too', () => {
  createNetworkNamespace(mounted);
  const before = own();
  assert.throws(() =>
    inEachNetworkNamespace(({ inode }) => {
      if (inode !== before) throw new Error('inside');
    }),
  );
  assert.equal(own(), before);
});

test('a namespace is known by its mount also when the path has a space', () => {
  createNetworkNamespace(mounted);
  assert.ok(isNetworkNamespace(mounted));
  assert.ok(!isNetworkNamespace(folder));
});
