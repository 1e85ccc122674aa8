import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, afterEach, before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import type { Frontend, Target } from '../../routing/frontend.ts';
import { Frontends, type World, changesBetween } from '../contract/frontends.ts';
import type { HostNetwork } from '../contract/host-network.ts';
import type { Host } from '../contract/hosts.ts';
import { ipv4, ipv6, network } from '../contract/worlds.ts';
import type { Dataplane } from '../dataplane.ts';
import { createNftablesPlane } from '../nftables/plane.ts';
import { endingStaleFlows } from './plane.ts';
import { startMachines } from './testing.ts';

isolateNetwork();

let hosts: HostNetwork;
let plane: Dataplane;
let inForce: readonly Frontend[] = [];

before(async () => {
  hosts = await startMachines();
  await open([]);
});

afterEach(async () => become([]));

after(async () => {
  await plane.remove();
  await hosts[Symbol.asyncDispose]();
});

async function open(desired: readonly Frontend[]): Promise<void> {
  plane = endingStaleFlows((onRestored) => createNftablesPlane({ network, onRestored }));
  await plane.adopt(desired);
  inForce = desired;
}

async function become(next: readonly Frontend[]): Promise<void> {
  await plane.apply(changesBetween(inForce, next));
  inForce = next;
}

const nobody: Target = { verdict: 'reject', backends: [] };

/** The ways into a UDP Service: which frontends it has for a target, who calls it, and where. */
interface Way {
  readonly title: string;
  readonly caller: string;
  readonly address: string;
  readonly port: number;
  readonly frontends: (target: Target) => readonly Frontend[];
}

function ways(world: World): readonly Way[] {
  const make = new Frontends(world);
  const udp = { protocol: 'UDP' } as const;
  const clusterIp = (target: Target) => [make.clusterIp(target, udp)];
  const nodePort = (target: Target) => [make.make('NodePort', undefined, 30053, target, udp)];
  const balancer = (target: Target) => [make.make('LoadBalancer', world.external, 80, target, udp)];
  return [
    {
      title: 'cluster address, from a Pod',
      caller: 'client',
      address: world.services[0],
      port: 80,
      frontends: clusterIp,
    },
    {
      title: 'cluster address, from the node',
      caller: 'node',
      address: world.services[0],
      port: 80,
      frontends: clusterIp,
    },
    { title: 'node port, from outside', caller: 'outside', address: world.node, port: 30053, frontends: nodePort },
    { title: 'node port, from the node', caller: 'node', address: world.node, port: 30053, frontends: nodePort },
    { title: 'load balancer address', caller: 'outside', address: world.external, port: 80, frontends: balancer },
  ];
}

for (const world of [ipv4, ipv6]) {
  const make = new Frontends(world);
  for (const { title, caller, address, port, frontends } of ways(world)) {
    test(`${world.family} ${title}: a UDP socket keeps its backend while it is there, and moves when it goes`, async () => {
      const client = hosts.host(caller);
      await become(frontends(make.forward('pod1')));
      assert.match(await client.hold(address, port, true), /^pod1 /);
      await become(frontends(make.forward('pod1', 'pod2')));
      assert.match(await client.again(), /^pod1 /);
      await become(frontends(make.forward('pod1')));
      assert.match(await client.again(), /^pod1 /);
      await become(frontends(make.forward('pod3')));
      assert.match(await client.again(), /^pod3 /);
      await become(frontends(nobody));
      assert.match(await client.again(), /refused|timeout/);
      await become(frontends(make.forward('pod2')));
      assert.match(await client.again(), /^pod2 /, 'the first endpoint of a Service gets those who waited');
    });

    test(`${world.family} ${title}: a UDP socket that called before there was a Service is served by it`, async () => {
      const client = hosts.host(caller);
      const early = await client.hold(address, port, true);
      assert.match(early, /refused|timeout/);
      await become(frontends(make.forward('pod1')));
      assert.match(await client.again(), /^pod1 /);
      await become([]);
      assert.match(await client.again(), /refused|timeout/, 'and no longer than it is there');
    });
  }
}

const make = new Frontends(ipv4);
const [vip, other] = ipv4.services;

function conntrack(...args: string[]): string {
  const result = spawnSync('conntrack', args);
  assert.equal(result.status, 0, String(result.stderr));
  return String(result.stdout);
}

test('flows of other frontends and other programs are not touched', async () => {
  const web = make.clusterIp(make.forward('pod1', 'pod2'), { protocol: 'UDP' });
  const dns = make.make('ClusterIP', other, 53, make.forward('pod2'), { protocol: 'UDP' });
  await become([web, dns]);
  assert.match(await hosts.host('client').call(other, 53, true), /^pod2 /);
  assert.match(await hosts.host('outside').call(ipv4.pods.pod1, 8080, true), /^pod1 /);
  const line = (text: string) =>
    conntrack('-L', '-p', 'udp')
      .split('\n')
      .filter((each) => each.includes(text)).length;
  await become([make.clusterIp(make.forward('pod3'), { protocol: 'UDP' }), dns]);
  assert.equal(line(`dst=${other}`), 1);
  assert.equal(line(`dst=${ipv4.pods.pod1} `), 1);
});

test('what changed while nobody watched is put right when the plane is taken over', async () => {
  const udp = (target: Target) => make.clusterIp(target, { protocol: 'UDP' });
  const dns = (target: Target) => make.make('ClusterIP', other, 53, target, { protocol: 'UDP' });
  const nodePort = (target: Target) => make.make('NodePort', undefined, 30053, target, { protocol: 'UDP' });
  await become([udp(make.forward('pod1')), dns(make.forward('pod2')), nodePort(make.forward('pod1'))]);
  assert.match(await hosts.host('client').hold(vip, 80, true), /^pod1 /);
  assert.match(await hosts.host('node').hold(other, 53, true), /^pod2 /);
  assert.match(await hosts.host('outside').hold(ipv4.node, 30053, true), /^pod1 /);
  await plane.close();
  await open([udp(make.forward('pod3')), nodePort(nobody)]);
  assert.match(await hosts.host('outside').again(), /refused|timeout/, 'its backends are gone');
  assert.match(await hosts.host('client').again(), /^pod3 /);
  assert.match(await hosts.host('node').again(), /refused|timeout/);
});

test('flows that began while somebody had flushed the tables are served when they are back', async () => {
  await become([make.make('LoadBalancer', ipv4.external, 80, make.forward('pod1'), { protocol: 'UDP' })]);
  const client: Host = hosts.host('client');
  // The plane looks every half second: it may be back before the client's first packet.
  let early = '';
  for (let time = 0; time < 10 && early !== 'timeout'; time += 1) {
    const flushed = spawnSync('nft', ['delete', 'table', 'ip', 'fairlead']);
    assert.equal(flushed.status, 0, String(flushed.stderr));
    early = await client.hold(ipv4.external, 80, true);
  }
  assert.equal(early, 'timeout');
  const deadline = Date.now() + 5000;
  let answer = await client.again();
  while (!answer.startsWith('pod1') && Date.now() < deadline) answer = await client.again();
  assert.match(answer, /^pod1 /);
});
