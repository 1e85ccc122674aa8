import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { writeSysctl } from '../../linux/sysctl.ts';
import { Frontends, type World } from '../contract/frontends.ts';
import { HostNetwork } from '../contract/host-network.ts';
import { ipv4, ipv6, network } from '../contract/worlds.ts';
import type { Dataplane } from '../dataplane.ts';
import { createNftablesPlane } from './plane.ts';
import { until } from './testing.ts';

isolateNetwork();

let plane: Dataplane;
let hosts: HostNetwork;

before(async () => {
  const pods = ['10.244.0.1', 'fd00:244::1'] as const;
  hosts = new HostNetwork([
    { name: 'pod1', addresses: [ipv4.pods.pod1, ipv6.pods.pod1], gateways: pods },
    { name: 'pod2', addresses: [ipv4.pods.pod2, ipv6.pods.pod2], gateways: pods },
    { name: 'client', addresses: [ipv4.sources.client, ipv6.sources.client], gateways: pods },
    { name: 'outside', addresses: [ipv4.sources.outside, ipv6.sources.outside], gateways: [ipv4.node, ipv6.node] },
  ]);
  writeSysctl('net.ipv6.icmp.ratelimit', '0');
  plane = createNftablesPlane({ network });
  await plane.adopt([]);
  for (const { pods: served } of [ipv4, ipv6]) {
    for (const name of ['pod1', 'pod2'] as const) {
      await hosts.host(name).serveSctp(served[name], 8080);
      const isReached = async (from: string) => (await hosts.host(from).callSctp(served[name], 8080)).startsWith(name);
      for (const caller of ['client', 'outside'])
        await until(() => isReached(caller), `${served[name]} answers ${caller}`);
    }
  }
});

after(async () => {
  await plane.remove();
  await hosts[Symbol.asyncDispose]();
});

async function calls(world: World, caller: string, address: string, port: number): Promise<Set<string>> {
  const answers = new Set<string>();
  for (let time = 0; time < 30; time += 1) answers.add(await hosts.host(caller).callSctp(address, port));
  assert.ok(!answers.has('timeout'), `${world.family} ${caller}: ${[...answers].join()}`);
  return answers;
}

for (const world of [ipv4, ipv6]) {
  const make = new Frontends(world);
  const [vip, emptyVip, rangeVip] = world.services;
  const both = make.forward('pod1', 'pod2');
  const sctp = { protocol: 'SCTP' } as const;
  const { client, outside } = world.sources;

  test(`${world.family}: SCTP associations are spread, answered from the address that was called, and counted`, async () => {
    const web = make.clusterIp(both, sctp);
    const port = make.make('NodePort', undefined, 30080, both, sctp);
    const none = make.make('ClusterIP', emptyVip, 80, { verdict: 'reject', backends: [] }, sctp);
    const ports = make.make('ClusterIP', rangeVip, 8000, both, { ...sctp, lastPort: 8100, scheduler: 'mh' });
    const { refused } = await plane.apply({ changed: [web, port, none, ports], removed: [], triggeredAtMs: undefined });
    assert.deepEqual(refused, []);
    assert.deepEqual(await calls(world, 'client', vip, 80), new Set([`pod1 ${client}`, `pod2 ${client}`]));
    for (const answer of await calls(world, 'outside', world.node, 30080)) {
      assert.ok(!answer.endsWith(` ${outside}`), `${answer}: not masqueraded`);
    }
    assert.equal((await calls(world, 'client', rangeVip, 8080)).size, 1, 'one client, one backend');
    assert.equal(await hosts.host('client').callSctp(emptyVip, 80), 'refused');
    const counters = await plane.counters();
    assert.deepEqual(
      [web, port, ports].map(({ key }) => counters.get(key)?.connections),
      [30, 30, 30],
    );
    assert.deepEqual(new Set((await plane.dump()).map(({ key }) => key)).size, 4);
    const removed = [web, port, none, ports].map(({ key }) => key);
    await plane.apply({ changed: [], removed, triggeredAtMs: undefined });
  });
}
