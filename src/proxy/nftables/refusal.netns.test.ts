import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, afterEach, before, test } from 'node:test';
import { SystemError } from '../../linux/errno.ts';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { openNetfilter } from '../../linux/nftables/dump.ts';
import { Transaction } from '../../linux/nftables/transaction.ts';
import { Frontends, changesBetween } from '../contract/frontends.ts';
import type { HostNetwork } from '../contract/host-network.ts';
import { ipv4, network } from '../contract/worlds.ts';
import type { Dataplane } from '../dataplane.ts';
import { createNftablesPlane } from './plane.ts';
import { refusalReason } from './refusal.ts';
import { affinitySize, layouts, specOf } from './schema.ts';
import { nft, startPods } from './testing.ts';

isolateNetwork();

const make = new Frontends(ipv4);
const web = make.clusterIp(make.forward('pod1', 'pod2'));
const small = make.make('ClusterIP', '10.96.0.77', 80, make.forward('pod3'));
let hosts: HostNetwork;
let plane: Dataplane;

before(async () => {
  hosts = await startPods();
});

afterEach(async () => {
  await plane.close();
  nft('flush', 'ruleset');
});

after(() => hosts[Symbol.asyncDispose]());

function change(build: (transaction: Transaction) => void): void {
  using socket = openNetfilter();
  const transaction = new Transaction(socket);
  build(transaction);
  transaction.commit();
}

test('a set that is full keeps out the Services that do not fit, and they come in when there is room', async () => {
  plane = createNftablesPlane({ network });
  await plane.adopt([web]);
  change((transaction) => transaction.addSet('ip', 'fairlead', { ...specOf(layouts.ip, 'backends'), size: 4 }));
  const large = make.make('ClusterIP', '10.96.0.78', 80, make.forward('pod1', 'pod2', 'pod3'));
  const { refused } = await plane.apply(changesBetween([], [large, small]));
  assert.deepEqual(refused, [
    {
      key: large.key,
      reason: "one of the kernel's sets is full (nftables: elements of backends: ENFILE)",
    },
  ]);
  assert.deepEqual(new Set(await plane.dump()), new Set([web, small]));
  assert.match(await hosts.host('client').call('10.96.0.77', 80, false), /^pod3 /);
  assert.match(await hosts.host('client').call(ipv4.services[0], 80, false), /^pod[12] /);
  await plane.apply(changesBetween([web], []));
  assert.deepEqual((await plane.apply(changesBetween([], [large]))).refused, []);
  assert.match(await hosts.host('client').call('10.96.0.78', 80, false), /^pod/);
});

test('a Service that no longer fits does not go on with the backends it had', async () => {
  plane = createNftablesPlane({ network });
  await plane.adopt([web, small]);
  change((transaction) => transaction.addSet('ip', 'fairlead', { ...specOf(layouts.ip, 'backends'), size: 3 }));
  const grown = make.make('ClusterIP', '10.96.0.77', 80, make.forward('pod1', 'pod2'));
  assert.equal((await plane.apply(changesBetween([small], [grown]))).refused[0]?.key, grown.key);
  assert.deepEqual(await plane.dump(), [web]);
});

const endless = make.clusterIp(make.forward('pod1'), {
  port: 99,
  key: '10.96.0.10:99/TCP',
  affinity: { timeoutSeconds: 2e14 },
});

test('a Service that has no room any more when others have changed the tables is told, whatever changed', async () => {
  plane = createNftablesPlane({ network });
  await plane.adopt([web, small]);
  nft('flush', 'map', 'ip', 'fairlead', 'backends');
  change((transaction) => transaction.addSet('ip', 'fairlead', { ...specOf(layouts.ip, 'backends'), size: 2 }));
  const large = make.make('ClusterIP', '10.96.0.78', 80, make.forward('pod1', 'pod2', 'pod3'));
  const { refused } = await plane.apply(changesBetween([], [large]));
  const told = new Set(refused.map(({ key }) => key));
  const inForce = new Set((await plane.dump()).map(({ key }) => key));
  assert.deepEqual(told, new Set([web, small, large].map(({ key }) => key)).difference(inForce));
  assert.equal(told.size, 2);
});

test('what the kernel refuses in a whole start stands alone', async () => {
  plane = createNftablesPlane({ network });
  const { refused } = await plane.adopt([web, endless, small]);
  assert.deepEqual(refused, [
    {
      key: endless.key,
      reason: 'a number in it is more than the kernel takes (nftables: rule in sticky-1-200000000000000s: ERANGE)',
    },
  ]);
  assert.deepEqual(new Set(await plane.dump()), new Set([web, small]));
});

test('a frontend that no rules can be made of stands alone, at a start and later', async () => {
  const impossible = { ...endless, affinity: { timeoutSeconds: -1 } };
  plane = createNftablesPlane({ network });
  const atStart = await plane.adopt([web, impossible]);
  assert.deepEqual(atStart.refused, [{ key: endless.key, reason: 'sticky-1--1s is not a class' }]);
  const later = await plane.apply({ changed: [small, impossible], removed: [], triggeredAtMs: undefined });
  assert.deepEqual(later.refused, atStart.refused);
  assert.deepEqual(new Set(await plane.dump()), new Set([web, small]));
});

test('a start that goes in parts tells what was in force and is no more', async () => {
  plane = createNftablesPlane({ network });
  await plane.adopt([web, small, { ...endless, affinity: undefined }]);
  await plane.close();
  plane = createNftablesPlane({ network });
  const { displaced = [] } = await plane.adopt([web, endless]);
  assert.deepEqual(new Set(displaced.map(({ key }) => key)), new Set([small.key, endless.key]));
});

test('clients that affinity has no room for are spread without memory', async () => {
  plane = createNftablesPlane({ network });
  const sticky = make.clusterIp(make.forward('pod1', 'pod2', 'pod3'), { affinity: { timeoutSeconds: 60 } });
  await plane.adopt([sticky]);
  const strangers = Array.from({ length: affinitySize }, (_, at) => {
    const key = Buffer.alloc(16);
    key.writeUInt32BE(0x0b000000 + at);
    return { key, data: Buffer.from([0, 0x10, 0, 0]) };
  });
  change((transaction) => transaction.addElements('ip', 'fairlead', specOf(layouts.ip, 'affinity'), strangers));
  const servers = new Set<string>();
  for (let time = 0; time < 40; time += 1) {
    servers.add((await hosts.host('client').call(ipv4.services[0], 80, false)).split(' ')[0] ?? '');
  }
  assert.deepEqual(servers, new Set(['pod1', 'pod2', 'pod3']));
});

test('without the right to large buffers (rootless) a large start goes in parts', () => {
  plane = createNftablesPlane({ network });
  const program = `
    const { createNftablesPlane } = await import('./plane.ts');
    const { Frontends } = await import('../contract/frontends.ts');
    const { ipv4, network } = await import('../contract/worlds.ts');
    const make = new Frontends(ipv4);
    const target = make.forward('pod1', 'pod2', 'pod3');
    const addresses = Array.from({ length: 4000 }, (_, at) => '10.96.' + (at >> 8) + '.' + (at & 255));
    const plane = createNftablesPlane({ network });
    const { refused } = await plane.adopt(addresses.map((each) => make.make('ClusterIP', each, 80, target)));
    console.log(refused.length, (await plane.dump()).length);
    process.exit();`;
  const args = ['--user', '--map-root-user', '--net', process.execPath, '--input-type=module', '-e', program];
  const { stdout, stderr } = spawnSync('unshare', args, { cwd: import.meta.dirname });
  assert.equal(String(stdout).trim(), '0 4000', String(stderr));
});

test('every refusal says in words what to do about it, and what the kernel said', () => {
  for (const [error, words] of [
    [new SystemError('nftables: rule in spread-256-by-source', 2), /^this kernel lacks what its rules need \(.*ENOENT/],
    [new SystemError('nftables: elements of ranges', 17), /^its ports overlap with those of another Service/],
    [new SystemError('nftables', 90, 'send'), /^it is too large for one change.*wmem_max/],
    [new SystemError('nftables: elements of backends', 12), /no memory/],
    [new SystemError('nftables: elements of backends', 5), /^nftables: elements of backends: EIO$/],
  ] as const) {
    assert.match(refusalReason(error), words);
  }
});
