import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { Frontends, changesBetween, everyScheduler } from '../contract/frontends.ts';
import type { HostNetwork } from '../contract/host-network.ts';
import { declareModel } from '../contract/model.ts';
import { ipv4, ipv6, network } from '../contract/worlds.ts';
import type { Dataplane } from '../dataplane.ts';
import { differenceOf, differencesBetween } from '../differences.ts';
import { createNftablesPlane } from './plane.ts';
import { nft, startPods, until } from './testing.ts';

isolateNetwork();

const make = new Frontends(ipv4);
const local = make.forward('pod1');
/** One frontend of every sort. */
const everySort: readonly Frontend[] = [
  make.clusterIp(make.forward('pod1', 'pod2', 'pod3')),
  make.clusterIp(make.forward('pod1', 'pod2'), { protocol: 'UDP', affinity: { timeoutSeconds: 10_800 } }),
  make.make('ClusterIP', ipv4.services[1], 443, { verdict: 'reject', backends: [] }),
  make.make('ClusterIP', ipv4.services[2], 443, { verdict: 'drop', backends: [] }),
  make.make('NodePort', undefined, 30080, make.forward('pod1', 'pod2'), { external: local, masquerade: 'never' }),
  make.make('LoadBalancer', ipv4.external, 80, make.forward('pod2'), {
    sourceRanges: ['192.0.2.0/24', '198.51.100.7/32'],
  }),
  make.make('ExternalIP', '203.0.113.81', 80, make.forward('pod3'), { service: 'test/other', portName: '' }),
  {
    ...make.make('ClusterIP', 'fd00:96::10', 80, {
      verdict: 'forward',
      backends: [{ address: 'fd00:244::11', port: 8080, weight: 1, local: true }],
    }),
    key: '[fd00:96::10]:80/TCP',
    family: 'IPv6',
  },
];

let hosts: HostNetwork;
const planes: Dataplane[] = [];

function open(): Dataplane {
  const plane = createNftablesPlane({ network });
  planes.push(plane);
  return plane;
}

before(async () => {
  hosts = await startPods();
});

afterEach(async () => {
  modelPlane = undefined;
  for (const plane of planes.splice(0)) await plane.close();
  nft('flush', 'ruleset');
});

after(() => hosts[Symbol.asyncDispose]());

let modelPlane: Dataplane | undefined;

async function restart(): Promise<void> {
  await planes.pop()?.close();
  modelPlane = open();
}

for (const world of [ipv4, ipv6]) {
  const options = {
    world,
    seed: 20_261_123,
    steps: 300,
    firstPort: 80,
    hasRoutedKinds: true,
    hasSchedulersAndRanges: true,
    restart,
  };
  declareModel(`nftables ${world.family}`, () => (modelPlane ??= open()), options);
}

test('nft prints the tables as if it had written them', async () => {
  await open().adopt(everySort);
  const listing = nft('list', 'ruleset');
  for (const line of [
    'type ipv4_addr . inet_proto . inet_service . mark : ipv4_addr . inet_service',
    '10.96.0.10 . tcp . 80 counter packets 0 bytes 0 comment "test/web:http" : 0x',
    'dnat ip to ip daddr . meta l4proto . th dport . numgen random mod 3 map @backends',
    'update @affinity { ip saddr . ip daddr . meta l4proto . th dport timeout 3h : meta mark }',
    '203.0.113.80 . tcp . 80 . 192.0.2.0/24',
    'elements = { 10.244.0.0/24 }',
    'chain port-spread-1-outside',
    'ct status dnat goto translated',
    'table ip6 fairlead',
  ]) {
    assert.ok(listing.includes(line), `${line} is not in\n${listing}`);
  }
});

test('a new process takes over what is in force without changing anything', async () => {
  const first = open();
  await first.adopt(everySort);
  await first.close();
  const listing = nft('list', 'ruleset');
  const second = open();
  assert.deepEqual(await second.adopt(everySort), { refused: [], operations: 0, displaced: [] });
  assert.equal(nft('list', 'ruleset'), listing);
  assert.deepEqual(new Set(await second.dump()), new Set(everySort));
});

test('another process reads what is in force, all but the names of Pods', async () => {
  assert.deepEqual(await open().dump(), []);
  await open().adopt(everySort);
  const found = new Map((await open().dump()).map((frontend) => [frontend.key, frontend]));
  assert.equal(found.size, everySort.length);
  for (const frontend of everySort) {
    const { kind, service, portName, affinity, sourceRanges, internal, external, masquerade } = frontend;
    const read = found.get(frontend.key) ?? assert.fail(frontend.key);
    assert.deepEqual([read.kind, read.service, read.portName], [kind, service, portName]);
    assert.equal(read.internal.verdict, internal.verdict);
    assert.equal(differenceOf(frontend, read), undefined);
    if (internal.verdict !== 'forward') continue;
    assert.deepEqual([read.affinity, read.sourceRanges, read.masquerade], [affinity, sourceRanges, masquerade]);
    assert.deepEqual(
      read.external.backends.map(({ address, port, local }) => ({ address, port, local })),
      external.backends.map(({ address, port, local }) => ({ address, port, local })),
    );
  }
});

test('another process sees no difference under any scheduler', async () => {
  const wanted = everyScheduler(make, ipv4.services[1]);
  await open().adopt(wanted);
  assert.deepEqual(differencesBetween(wanted, await open().dump()), []);
});

test('a new process changes only what differs', async () => {
  await open().adopt(everySort);
  const desired = [make.clusterIp(make.forward('pod1', 'pod2')), ...everySort.slice(1, -2)];
  const plane = open();
  const { operations } = await plane.adopt(desired);
  assert.ok(operations < 30, `${operations} operations`);
  assert.deepEqual(new Set(await plane.dump()), new Set(desired));
});

test('many backends are kept on shelves, and taken over from there', async () => {
  const backends = Array.from({ length: 100 }, (_, at) => {
    return { address: `10.245.0.${at + 1}`, port: 8080, weight: 1, local: false };
  });
  const wide = Array.from({ length: 330 }, (_, at) => {
    return make.make('ClusterIP', `10.96.${1 + (at >> 8)}.${at & 255}`, 80, { verdict: 'forward', backends });
  });
  const last = [
    make.clusterIp(make.forward('pod1', 'pod2', 'pod3')),
    make.clusterIp(make.forward('pod2'), { port: 81, key: '10.96.0.10:81/TCP', affinity: { timeoutSeconds: 60 } }),
  ];
  const first = open();
  await first.adopt([...wide, ...last]);
  const chains = nft('list', 'map', 'ip', 'fairlead', 'classes');
  for (const chain of ['spread-100', 'spread-100.2', 'spread-3.2', 'sticky-1-60s.2']) {
    assert.match(chains, new RegExp(`goto ${chain}\\b`));
  }
  assert.match(nft('list', 'chain', 'ip', 'fairlead', 'spread-3.2'), /map @backends-2/);
  nft('add', 'element', 'ip', 'fairlead', 'backends-2', '{ 10.96.1.0 . tcp . 80 . 7 : 10.245.0.1 . 8080 }');
  const second = open();
  assert.equal((await second.adopt([...wide, ...last])).operations, 1, 'the one that is on the wrong shelf goes');
  assert.deepEqual(new Set(await second.dump()), new Set([...wide, ...last]));
  const client = hosts.host('client');
  assert.match(await client.call('10.96.0.10', 80, false), /^pod/);
  assert.match(await client.call('10.96.0.10', 81, false), /^pod2 /);
  await second.apply(changesBetween([...wide, ...last], last));
  assert.deepEqual(new Set(await second.dump()), new Set(last));
  const next = make.make('ClusterIP', '10.96.0.11', 80, make.forward('pod1'));
  await second.apply(changesBetween([], [next]));
  assert.match(nft('list', 'map', 'ip', 'fairlead', 'backends'), /10.96.0.11 . tcp . 80/, 'room on the first again');
});

test('elements that nobody asked for go, missing ones come back', async () => {
  await open().adopt(everySort);
  nft('add', 'element', 'ip', 'fairlead', 'cluster-ips', '{ 10.96.7.7 }');
  nft('add', 'element', 'ip', 'fairlead', 'backends', '{ 10.96.7.7 . tcp . 80 . 0 : 10.0.0.1 . 80 }');
  nft('delete', 'element', 'ip', 'fairlead', 'backends', '{ 10.96.0.10 . tcp . 80 . 1 }');
  const plane = open();
  assert.ok((await plane.adopt(everySort)).operations > 0);
  const clean = nft('list', 'ruleset');
  assert.ok(!clean.includes('10.96.7.7'), clean);
  assert.deepEqual(new Set(await plane.dump()), new Set(everySort));
  assert.equal((await open().adopt(everySort)).operations, 0);
});

test('chains that are not as they should be are replaced with their table', async () => {
  await open().adopt(everySort);
  nft('add', 'chain', 'ip', 'fairlead', 'spread-9');
  nft('add', 'rule', 'ip', 'fairlead', 'inside', 'accept');
  const plane = open();
  await plane.adopt(everySort);
  assert.ok(!nft('list', 'ruleset').includes('spread-9'));
  assert.deepEqual(new Set(await plane.dump()), new Set(everySort));
});

test('classes half taken away by a process that was killed are put right', async () => {
  await open().adopt(everySort);
  const before = nft('list', 'map', 'ip', 'fairlead', 'classes');
  const number = /(0x[0-9a-f]+) : goto spread-3\b/.exec(before)?.[1] ?? assert.fail(before);
  nft('delete', 'element', 'ip', 'fairlead', 'classes', `{ ${number} }`);
  const plane = open();
  await plane.adopt(everySort);
  assert.deepEqual(new Set(await plane.dump()), new Set(everySort));
  assert.match(nft('list', 'map', 'ip', 'fairlead', 'classes'), /goto spread-3\b/);
  assert.equal((await open().adopt(everySort)).operations, 0);
});

test('a table of another version is replaced in one step', async () => {
  nft('add', 'table', 'ip', 'fairlead');
  nft('add', 'chain', 'ip', 'fairlead', 'old');
  const plane = open();
  await plane.adopt(everySort);
  assert.deepEqual(new Set(await plane.dump()), new Set(everySort));
  assert.ok(!nft('list', 'ruleset').includes('chain old'));
});

test('tables of others are left alone, also by remove', async () => {
  nft('add', 'table', 'ip', 'theirs');
  nft('add', 'chain', 'ip', 'theirs', 'input', '{ type filter hook input priority 0; }');
  const theirs = nft('list', 'table', 'ip', 'theirs');
  const plane = open();
  await plane.adopt(everySort);
  assert.equal(nft('list', 'table', 'ip', 'theirs'), theirs);
  await plane.remove();
  planes.pop();
  assert.equal(nft('list', 'ruleset'), theirs);
});

test('a flushed rule set is put back, by the watch and by the next change', async () => {
  const plane = open();
  await plane.adopt(everySort);
  nft('flush', 'ruleset');
  await until(async () => (await plane.dump()).length === everySort.length, 'restored by the watch');
  nft('flush', 'ruleset');
  const more = [...everySort, make.make('ClusterIP', '10.96.0.99', 80, make.forward('pod1'))];
  const { refused } = await plane.apply(changesBetween(everySort, more));
  assert.deepEqual(refused, []);
  assert.deepEqual(new Set(await plane.dump()), new Set(more));
});

for (const flushed of [
  'chain ip fairlead output',
  'map ip fairlead frontends',
  'map ip fairlead backends',
  'set ip fairlead cluster-ips',
]) {
  test(`after nft flush ${flushed} everything is put back at once, however lately it was looked at`, async () => {
    const plane = open();
    await plane.adopt(everySort);
    const whole = nft('-s', 'list', 'table', 'ip', 'fairlead');
    for (let round = 0; round < 2; round += 1) {
      nft('flush', ...flushed.split(' '));
      await until(async () => nft('-s', 'list', 'table', 'ip', 'fairlead').length === whole.length, 'restored');
    }
  });
}

test('what stands in the way of a change is cleared, and the change goes through', async () => {
  const plane = open();
  await plane.adopt(everySort);
  nft('add', 'element', 'ip', 'fairlead', 'frontends', '{ 10.96.0.99 . tcp . 80 : 0x1000 }');
  nft('delete', 'element', 'ip', 'fairlead', 'backends', '{ 10.96.0.10 . tcp . 80 . 2 }');
  const more = [
    make.clusterIp(make.forward('pod1', 'pod2')),
    ...everySort.slice(1),
    make.make('ClusterIP', '10.96.0.99', 80, make.forward('pod1')),
  ];
  assert.deepEqual((await plane.apply(changesBetween(everySort, more))).refused, []);
  assert.deepEqual(new Set(await plane.dump()), new Set(more));
});

test('what the kernel cannot take stands alone; everything else is in force', async () => {
  const bad: Frontend = {
    ...make.clusterIp({ verdict: 'forward', backends: [{ address: 'fd00::1', port: 1, weight: 1, local: false }] }),
    port: 99,
    key: '10.96.0.10:99/TCP',
  };
  const plane = open();
  const nonsense: Frontend = { ...make.clusterIp(local), address: 'nowhere', key: 'nowhere:80/TCP' };
  const { refused } = await plane.adopt([...everySort, bad, nonsense]);
  assert.deepEqual(refused, [
    { key: bad.key, reason: 'backend [fd00::1]:1 is not IPv4' },
    { key: nonsense.key, reason: 'nowhere is not an IPv4 address' },
  ]);
  assert.equal((await plane.dump()).length, everySort.length);
});

test('an endpoint change is a handful of operations', async () => {
  const plane = open();
  await plane.adopt(everySort);
  const web = [make.clusterIp(make.forward('pod1', 'pod2', 'pod3'))];
  const replaced = [make.clusterIp(make.forward('pod1', 'pod2'))];
  assert.ok((await plane.apply(changesBetween(web, replaced))).operations <= 12);
  assert.ok((await plane.apply(changesBetween(replaced, web))).operations <= 6);
  assert.equal((await plane.apply(changesBetween(web, web))).operations, 0);
});

test('connections live on without any process of ours, and through adoption', async () => {
  const web = make.clusterIp(make.forward('pod1', 'pod2', 'pod3'));
  const first = open();
  await first.adopt([web]);
  const client = hosts.host('client');
  const server = (await client.hold('10.96.0.10', 80, false)).split(' ')[0];
  await first.close();
  assert.match(await client.again(), new RegExp(`^${server} `));
  assert.match(await client.call('10.96.0.10', 80, false), /^pod/);
  const second = open();
  await second.adopt([make.clusterIp(make.forward('pod1', 'pod2', 'pod3'))]);
  await second.apply(changesBetween([web], []));
  assert.match(await client.again(), new RegExp(`^${server} `), 'its frontend is gone, the connection is not');
});
