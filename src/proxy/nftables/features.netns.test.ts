import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { openRoute } from '../../linux/route.ts';
import type { Frontend } from '../../routing/frontend.ts';
import type { Scheduler } from '../../routing/scheduler.ts';
import { Frontends, changesBetween } from '../contract/frontends.ts';
import type { HostNetwork } from '../contract/host-network.ts';
import { ipv4, network } from '../contract/worlds.ts';
import type { Dataplane } from '../dataplane.ts';
import { hashBuckets } from '../rendezvous.ts';
import { createNftablesPlane } from './plane.ts';
import { askFrom, nft, startPods } from './testing.ts';

isolateNetwork();

const make = new Frontends(ipv4);
const [vip, otherVip] = ipv4.services;
/** Addresses of the node, each a client of its own. */
const clients = Array.from({ length: 60 }, (_, at) => `192.0.2.${at + 1}`);

let hosts: HostNetwork;
const planes: Dataplane[] = [];

function open(): Dataplane {
  const plane = createNftablesPlane({ network });
  planes.push(plane);
  return plane;
}

before(async () => {
  hosts = await startPods();
  for (const [name, address] of Object.entries(ipv4.pods)) {
    for (const port of [8085, 8086]) await hosts.host(name).serve(address, port);
  }
  using route = openRoute();
  for (const client of clients) route.addAddress(route.link('lo')?.index ?? 0, `${client}/32`);
});

afterEach(async () => {
  for (const plane of planes.splice(0)) await plane.close();
  nft('flush', 'ruleset');
});

after(() => hosts[Symbol.asyncDispose]());

/** A range: backends are named by its first port. */
function range(more: Partial<Frontend>, ...pods: ('pod1' | 'pod2' | 'pod3')[]): Frontend {
  const backends = pods.map((pod) => ({ ...make.backend(pod), port: 8080 }));
  return make.make('ClusterIP', vip, 8080, { verdict: 'forward', backends }, { lastPort: 8089, ...more });
}

for (const protocol of ['TCP', 'UDP'] as const) {
  test(`a ${protocol} connection to a range keeps the port that was called`, async () => {
    const plane = open();
    await plane.adopt([range({ protocol }, 'pod1')]);
    const client = hosts.host('client');
    const call = (port: number) => client.call(vip, port, protocol === 'UDP');
    assert.match(await call(8080), /^pod1 /);
    assert.match(await call(8085), /^pod1 /);
    assert.equal(await call(8087), 'refused', 'pod1 itself: nobody listens there');
    assert.equal(await call(8090), 'refused', 'after the range');
    await plane.apply(changesBetween([], [range({ protocol, lastPort: 8085 }, 'pod1')]));
    assert.match(await call(8085), /^pod1 /);
    assert.equal(await call(8086), 'refused', 'the range is shorter now');
  });
}

test('a port of its own goes before the range around it', async () => {
  await open().adopt([range({}, 'pod1'), make.make('ClusterIP', vip, 8085, make.forward('pod2'))]);
  assert.match(await hosts.host('client').call(vip, 8085, false), /^pod2 /);
  assert.match(await hosts.host('client').call(vip, 8086, false), /^pod1 /);
});

test('under affinity a client stays on one backend of a range, whichever port it calls', async () => {
  await open().adopt([range({ affinity: { timeoutSeconds: 60 } }, 'pod1', 'pod2', 'pod3')]);
  const servers = new Set<string>();
  for (let time = 0; time < 6; time += 1) {
    for (const port of [8080, 8085, 8086])
      servers.add((await hosts.host('client').call(vip, port, false)).split(' ')[0] ?? '');
  }
  assert.equal(servers.size, 1, [...servers].join());
  assert.match([...servers].join(), /^pod/);
});

test('ranges of external addresses: source ranges, masquerade, outside callers', async () => {
  const external = ipv4.external;
  const frontend = make.make('LoadBalancer', external, 8080, make.forward('pod1', 'pod2'), {
    lastPort: 8089,
    sourceRanges: ['10.244.0.0/16'],
    external: make.forward('pod2'),
    masquerade: 'never',
  });
  const plane = open();
  await plane.adopt([frontend]);
  assert.match(await hosts.host('client').call(external, 8085, false), /^pod[12] 10\.244\.0\.20/);
  assert.deepEqual(await plane.dump(), [frontend]);
  await plane.apply(changesBetween([frontend], [{ ...frontend, sourceRanges: ['198.51.100.0/24'] }]));
  assert.equal(await hosts.host('client').call(external, 8085, false), 'timeout');
  const listing = nft('list', 'table', 'ip', 'fairlead');
  assert.ok(listing.includes(`${external} . tcp . 8080-8089 . 198.51.100.0/24`), listing);
});

test('a range is read back, adopted unchanged and printed', async () => {
  const ranges = [
    range({}, 'pod1', 'pod2', 'pod3'),
    range({ protocol: 'UDP', affinity: { timeoutSeconds: 30 } }, 'pod1', 'pod2'),
    range({ address: otherVip, key: `${otherVip}:8080/TCP`, lastPort: 8999, scheduler: 'mh' }, 'pod2', 'pod3'),
  ];
  await open().adopt(ranges);
  const second = open();
  assert.deepEqual(await second.adopt(ranges), { refused: [], operations: 0, displaced: [] });
  assert.deepEqual(new Set(await second.dump()), new Set(ranges));
  const found = await open().dump();
  assert.deepEqual(found.map(({ key, lastPort }) => `${key} ${lastPort}`).sort(), [
    '10.96.0.10:8080/TCP 8089',
    '10.96.0.10:8080/UDP 8089',
    '10.96.0.11:8080/TCP 8999',
  ]);
  const listing = nft('list', 'table', 'ip', 'fairlead');
  for (const line of [
    `${vip} . tcp . 8080-8089 counter packets 0 bytes 0 comment "test/web:http" : 0x`,
    'chain range-8080-spread-3',
    'dnat to ip daddr . meta l4proto . numgen random mod 1 offset 8080 . numgen random mod 3 map @range-backends',
    'update @range-affinity { ip saddr . ip daddr . meta l4proto . numgen random mod 1 offset 8080 timeout 30s : meta mark }',
  ]) {
    assert.ok(listing.includes(line), `${line} is not in\n${listing}`);
  }
});

test('ranges that cannot be are refused with a reason', async () => {
  const node = make.make('NodePort', undefined, 30_000, make.forward('pod1'), { lastPort: 30_010 });
  const { refused } = await open().adopt([node, range({ lastPort: 70_000 }, 'pod1')]);
  assert.deepEqual(
    refused.map(({ reason }) => reason),
    ['node ports have no ranges', '8080-70000 is no range of ports'],
  );
});

async function serversOf(port = 80): Promise<Map<string, string>> {
  const servers = new Map<string, string>();
  for (const client of clients) servers.set(client, await askFrom(client, vip, port));
  return servers;
}

for (const scheduler of ['sh', 'mh'] as const satisfies readonly Scheduler[]) {
  test(`${scheduler} keeps each client on one backend, and moves only those of a backend that goes`, async () => {
    const plane = open();
    const all = make.clusterIp(make.forward('pod1', 'pod2', 'pod3'), { scheduler });
    await plane.adopt([all]);
    const first = await serversOf();
    assert.deepEqual(new Set(first.values()), new Set(['pod1', 'pod2', 'pod3']));
    assert.deepEqual(await serversOf(), first, 'again');
    const two = make.clusterIp(make.forward('pod1', 'pod3'), { scheduler });
    await plane.apply(changesBetween([all], [two]));
    for (const [client, server] of await serversOf()) {
      const before = first.get(client);
      assert.ok(before === 'pod2' ? server !== 'pod2' : server === before, `${client}: ${before}, then ${server}`);
    }
    await plane.apply(changesBetween([two], [all]));
    assert.deepEqual(await serversOf(), first, 'and back');
  });
}

test('another node with the same backends sends each client to the same, whatever happened there before', async () => {
  const all = make.clusterIp(make.forward('pod1', 'pod2', 'pod3'), { scheduler: 'mh' });
  const here = open();
  await here.adopt([all]);
  const first = await serversOf();
  const table = nft('list', 'map', 'ip', 'fairlead', 'backends');
  await here.remove();
  planes.pop();
  const there = open();
  const history = [
    make.clusterIp(make.forward('pod3'), { scheduler: 'mh' }),
    make.clusterIp(make.forward('pod2', 'pod3')),
  ];
  await there.adopt(history.slice(0, 1));
  for (const step of [...history, all]) await there.apply(changesBetween([], [step]));
  assert.equal(nft('list', 'map', 'ip', 'fairlead', 'backends').split(',').length, table.split(',').length);
  assert.deepEqual(await serversOf(), first);
});

test('hashing gives each backend its weight in buckets, is printed, read back and adopted', async () => {
  const weighted = {
    verdict: 'forward',
    backends: [make.backend('pod1', 1), make.backend('pod2', 0), make.backend('pod3', 3)],
  } as const;
  const frontends = [
    make.clusterIp(weighted, { scheduler: 'mh' }),
    make.make('ClusterIP', otherVip, 80, make.forward('pod1', 'pod2'), { scheduler: 'dh' }),
    make.make('ClusterIP', otherVip, 81, make.forward('pod1', 'pod2'), {
      scheduler: 'sh',
      affinity: { timeoutSeconds: 60 },
    }),
  ];
  await open().adopt(frontends);
  const second = open();
  assert.deepEqual(await second.adopt(frontends), { refused: [], operations: 0, displaced: [] });
  assert.deepEqual(new Set(await second.dump()), new Set(frontends));
  const listing = nft('list', 'table', 'ip', 'fairlead');
  for (const line of [
    'chain spread-256-by-source {',
    'dnat ip to ip daddr . meta l4proto . th dport . jhash ip saddr mod 256 seed 0xfa1e map @backends',
    'jhash ip daddr mod 256 seed 0xfa1e map @backends',
    'meta mark set jhash ip saddr mod 256 seed 0xfa1e',
  ]) {
    assert.ok(listing.includes(line), `${line} is not in\n${listing.slice(0, 20_000)}`);
  }
  const owners = hashBuckets([
    { name: '10.244.0.11:8080', weight: 1 },
    { name: '10.244.1.13:8080', weight: 3 },
  ]);
  const found = (await open().dump()).find(({ key }) => key === frontends[0]?.key);
  assert.deepEqual(
    found?.internal.backends.map(({ address, weight }) => [address, weight]),
    ['10.244.0.11', '10.244.1.13'].map((address) => [
      address,
      owners.filter((owner) => owner === `${address}:8080`).length,
    ]),
  );
});

test('dh sends everyone who calls one address to one backend', async () => {
  await open().adopt([make.clusterIp(make.forward('pod1', 'pod2', 'pod3'), { scheduler: 'dh' })]);
  assert.equal(new Set((await serversOf()).values()).size, 1);
});

test('new connections are counted once each, through scaling and a restart', async () => {
  const web = make.clusterIp(make.forward('pod1', 'pod2'));
  const port = make.make('NodePort', undefined, 30080, make.forward('pod1', 'pod2'), {
    external: make.forward('pod1'),
    masquerade: 'never',
  });
  const ports = range({}, 'pod1');
  const quiet = make.make('ClusterIP', otherVip, 80, make.forward('pod1'));
  const plane = open();
  await plane.adopt([web, port, ports, quiet]);
  const client = hosts.host('client');
  const counted = async (from = plane) => {
    const counters = await from.counters();
    return [web, port, ports, quiet].map(({ key }) => counters.get(key)?.connections ?? 0);
  };
  for (let time = 0; time < 5; time += 1) await client.call(vip, 80, false);
  await client.hold(vip, 80, false);
  for (let time = 0; time < 4; time += 1) await client.again();
  for (let time = 0; time < 3; time += 1) await client.call('10.244.0.1', 30080, false);
  for (const called of [8085, 8086]) await client.call(vip, called, false);
  assert.deepEqual(await counted(), [6, 3, 2, 0], 'packets of a connection that is known are not counted');
  await plane.apply(
    changesBetween([], [make.clusterIp(make.forward('pod1', 'pod2', 'pod3')), range({}, 'pod1', 'pod2')]),
  );
  await client.call(vip, 80, false);
  assert.deepEqual(await counted(), [7, 3, 2, 0], 'another class goes on counting');
  const next = open();
  await next.adopt([web, port, ports, quiet]);
  await client.call(vip, 80, false);
  assert.deepEqual(await counted(next), [8, 3, 2, 0], 'so does another process');
});
