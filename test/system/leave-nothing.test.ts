import assert from 'node:assert/strict';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { isolateNetwork } from '../../src/linux/namespaces.ts';
import { succeed } from '../support/commands.ts';
import { launcher, repository, up } from '../support/fairlead.ts';
import type { System } from '../support/fairlead.ts';
import { readyPods } from '../support/objects.ts';
import { waitFor } from '../support/wait.ts';

/** Everything that a run could leave in the kernel or the file system, as text. */
async function traces(): Promise<Readonly<Record<string, string>>> {
  const sh = (command: string): Promise<string> => succeed('sh', ['-c', command]);
  return {
    links: await sh("ip -o link | sed 's/^[0-9]*: //; s/@.*//; s/:.*//' | sort"),
    addresses: await sh("ip -o addr | awk '{print $2, $4}' | sort"),
    routes: await sh('ip route; ip -6 route show table main'),
    rules: await sh('nft list ruleset'),
    forwarding: await sh('cat /proc/sys/net/ipv4/ip_forward'),
    mounts: await sh('grep -c fairlead /proc/self/mountinfo; true'),
    cgroups: await sh("find /sys/fs/cgroup -maxdepth 3 -iname '*fairlead*'"),
    processes: await sh("pgrep -af 'sleep 98765|hello' | grep -v pgrep; true"),
    namespaces: await sh('ls /run/netns 2>/dev/null; true'),
  };
}

async function startWithPods(dataDir?: string): Promise<System> {
  const system = await up(dataDir === undefined ? {} : { dataDir });
  await system.kubectl(['apply', '-f', join(repository, 'examples/hello')]);
  await system.kubectl(['run', 'sleeper', '--image=host', '--command', '--', 'sleep', '98765']);
  await readyPods(system, 'app=hello', 3);
  return system;
}

before(() => isolateNetwork());

test('Ctrl-C leaves the kernel and the file system as before', async () => {
  const before = await traces();
  await using system = await startWithPods();
  assert.notDeepEqual(await traces(), before);
  assert.equal(await system.stop(), 0);
  assert.deepEqual(await traces(), before);
});

test('down ends a running system from another terminal', async () => {
  const before = await traces();
  await using system = await startWithPods();
  await system.run(['down', '--data', system.dataDir]);
  await waitFor(() => system.process.exitCode !== null, { what: 'the end of fairlead up' });
  assert.deepEqual(await traces(), before);
});

test('down after a crash takes away what the crashed system left', async () => {
  const before = await traces();
  await using system = await startWithPods();
  await system.crash();
  await succeed(launcher, ['down', '--data', system.dataDir]);
  assert.deepEqual(await traces(), before);
});

test('a named data folder keeps the objects for the next start', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'fairlead-test-'));
  const first = await up({ dataDir });
  await first.kubectl(['create', 'configmap', 'kept', '--from-literal=a=b']);
  assert.equal(await first.stop(), 0);
  await using second = await up({ dataDir });
  assert.equal(await second.kubectl(['get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}']), 'b');
  assert.ok(existsSync(join(dataDir, 'store.db')));
});
