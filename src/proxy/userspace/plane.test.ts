import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { Frontends, type World } from '../contract/frontends.ts';
import { type Host, startHost } from '../contract/hosts.ts';
import { createUserspacePlane } from './plane.ts';

/** Loopback addresses of this process alone; ports of Services are moved up, where anyone may listen. */
const block = 1 + (process.pid % 250);
const world: World = {
  family: 'IPv4',
  pods: { pod1: `127.244.${block}.11`, pod2: `127.244.${block}.12`, pod3: `127.244.${block}.13` },
  services: [`127.96.${block}.10`, `127.96.${block}.11`, `127.96.${block}.12`],
  unallocated: `127.96.${block}.200`,
  external: '203.0.113.80',
  node: '127.0.0.1',
  sources: { outside: '127.0.0.1', client: '127.0.0.1' },
};
const nodePortNumber = 32_000 + block;
const network = { podCidrs: [], clusterCidrs: [], serviceCidrs: [], nodePortAddresses: [] };
const plane = createUserspacePlane(network);
const hosts: Host[] = [];
const make = new Frontends(world, 8180);

before(async () => {
  for (const [name, address] of Object.entries(world.pods)) {
    const host = startHost({ name });
    await host.serve(address, 8080);
    hosts.push(host);
  }
  hosts.push(startHost({ name: 'node' }));
});

after(async () => {
  await plane.close();
  for (const host of hosts) await host[Symbol.asyncDispose]();
});

const caller = () => hosts.at(-1) ?? assert.fail('no caller');

test('a port that is taken, privileged or not of this machine is refused, and the others work', async (t) => {
  const taken = createServer().listen(8181, `127.96.${block}.10`);
  await new Promise((resolve) => taken.once('listening', resolve));
  t.after(() => taken.close());
  const good = make.clusterIp(make.forward('pod1'));
  const { refused } = await plane.apply({
    changed: [
      make.make('ClusterIP', `127.96.${block}.10`, 8181, make.forward('pod1')),
      make.make('ExternalIP', world.external, 8182, make.forward('pod1')),
      good,
    ],
    removed: [],
    triggeredAtMs: undefined,
  });
  assert.deepEqual(refused, [
    { key: `127.96.${block}.10:8181/TCP`, reason: `another program has 127.96.${block}.10 port 8181` },
    { key: '203.0.113.80:8182/TCP', reason: '203.0.113.80 is not an address of this machine' },
  ]);
  assert.match(await caller().call(`127.96.${block}.10`, 8180, false), /^pod1 /);
  assert.deepEqual(await plane.dump(), [good]);
});

test('a node port answers on loopback', async () => {
  const nodePort = make.make('NodePort', undefined, nodePortNumber, make.forward('pod2'));
  await plane.apply({ changed: [nodePort], removed: [], triggeredAtMs: undefined });
  assert.match(await caller().call('127.0.0.1', nodePortNumber, false), /^pod2 /);
  await plane.apply({ changed: [], removed: [nodePort.key], triggeredAtMs: undefined });
  assert.equal(await caller().call('127.0.0.1', nodePortNumber, false), 'refused');
});

test('an established connection outlives its frontend', async () => {
  await plane.apply({ changed: [make.clusterIp(make.forward('pod3'))], removed: [], triggeredAtMs: undefined });
  assert.match(await caller().hold(`127.96.${block}.10`, 8180, false), /^pod3 /);
  await plane.apply({ changed: [], removed: [`127.96.${block}.10:8180/TCP`], triggeredAtMs: undefined });
  assert.match(await caller().again(), /^pod3 /);
});

test('a backend that refuses is passed over for one that answers', async () => {
  const dead = { address: `127.244.${block}.99`, port: 8080, weight: 1, local: true };
  const target = { verdict: 'forward' as const, backends: [make.backend('pod1'), dead] };
  await plane.apply({ changed: [make.clusterIp(target)], removed: [], triggeredAtMs: undefined });
  for (let call = 0; call < 6; call += 1) {
    assert.match(await caller().call(`127.96.${block}.10`, 8180, false), /^pod1 /);
  }
});
