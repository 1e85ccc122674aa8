import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { openRoute } from '../../linux/route.ts';
import { readSysctl } from '../../linux/sysctl.ts';
import { cleanUp } from '../clean-up.ts';
import { setUpNodeNetwork } from '../network/node-network.ts';
import { openCgroups } from './cgroups.ts';
import { runtimeContract } from './contract.ts';
import { layoutOf } from './layout.ts';
import { createNetnsRuntime } from './netns.ts';
import type { ProcessEnd, ProcessSpec, SandboxSpec } from './runtime.ts';

isolateNetwork();

const network = {
  podCidr: '10.244.0.0/24',
  clusterCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/16',
  gateway: '10.244.0.1',
};

function open() {
  const dataDir = mkdtempSync(join(tmpdir(), 'fairlead-netns-'));
  setUpNodeNetwork(dataDir, network);
  const layout = layoutOf(dataDir);
  return {
    dataDir,
    layout,
    podIp: '10.244.0.2',
    open: () => createNetnsRuntime(layout, openCgroups(layout.hash), { bridge: 'fairlead0', gateway: '10.244.0.1' }),
    async [Symbol.asyncDispose]() {
      await cleanUp(dataDir);
    },
  };
}

runtimeContract('netns', open);

test('the bridge keeps its hardware address when a Pod comes and goes', async () => {
  await using _made = open();
  using route = openRoute();
  const addressOf = () => route.link('fairlead0')?.hardwareAddress;
  const before = addressOf();
  const lowest = '02:00:00:00:00:01';
  const link = { name: 'a-pod', up: true, hardwareAddress: lowest, master: route.link('fairlead0')?.index ?? 0 };
  route.createLink({ ...link, kind: 'veth', peer: { name: 'its-end' } });
  assert.equal(addressOf(), before);
  route.deleteLink('a-pod');
  assert.equal(addressOf(), before);
});

test('mount points that the host does not have exist in the container only', async () => {
  await using made = open();
  const runtime = made.open();
  const source = join(made.dataDir, 'volume');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), 'content');
  const sandbox: SandboxSpec = { podUid: 'mounts', hostname: 'mounts', ip: '10.244.0.2', isHostNetwork: false };
  runtime.createSandbox(sandbox);
  const ended = Promise.withResolvers<ProcessEnd>();
  const script =
    'cat /fairlead-test/file /run/fairlead-test/deep/file /etc/fairlead-test; (: > /fairlead-test/w); echo $?';
  const spec: ProcessSpec = {
    podUid: 'mounts',
    container: 'main',
    attempt: 0,
    argv: ['sh', '-c', script],
    env: new Map(),
    workingDir: '/fairlead-test',
    user: { groups: [], noNewPrivileges: false },
    mounts: [
      { source, target: '/fairlead-test', isReadOnly: true },
      { source, target: '/var/run/fairlead-test/deep', isReadOnly: false },
      { source: join(source, 'file'), target: '/etc/fairlead-test', isReadOnly: false },
    ],
    isReadOnlyRoot: false,
    hasStdin: false,
    hasTerminal: false,
  };
  runtime.start(spec, sandbox, ended.resolve);
  await ended.promise;
  assert.equal(readFileSync(join(made.layout.attempt(spec), 'out'), 'utf8'), 'contentcontentcontent2\n');
  for (const path of ['/fairlead-test', '/run/fairlead-test', '/etc/fairlead-test'])
    assert.equal(existsSync(path), false);
  runtime.close();
});

test('the node network is set up twice without harm, and taken away with what it changed', async () => {
  const settings = ['net.ipv4.ip_forward', 'net.ipv4.conf.all.send_redirects'];
  const before = settings.map(readSysctl);
  const made = open();
  setUpNodeNetwork(made.dataDir, network);
  {
    using route = openRoute();
    assert.equal(route.link('fairlead0')?.kind, 'bridge');
    assert.ok(route.routes().some(({ destination }) => destination === '10.96.0.0/16'));
  }
  assert.deepEqual(settings.map(readSysctl), ['1', '0']);
  await made[Symbol.asyncDispose]();
  using route = openRoute();
  assert.equal(route.link('fairlead0'), undefined);
  assert.deepEqual(settings.map(readSysctl), before);
  assert.equal(existsSync(made.dataDir), false);
});
