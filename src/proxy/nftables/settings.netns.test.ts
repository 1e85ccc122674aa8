import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { openRoute } from '../../linux/route.ts';
import { Frontends } from '../contract/frontends.ts';
import { HostNetwork } from '../contract/host-network.ts';
import { ipv4, ipv6, network } from '../contract/worlds.ts';
import type { Dataplane, NodeNetwork } from '../dataplane.ts';
import { createNftablesPlane } from './plane.ts';
import { nft, until } from './testing.ts';

isolateNetwork();

const make = new Frontends(ipv4);
const [vip] = ipv4.services;
const all = make.forward('pod1', 'pod2', 'pod3');
const local = make.forward('pod1', 'pod2');
let hosts: HostNetwork;
const planes: Dataplane[] = [];

async function adopt(
  settings: Partial<NodeNetwork>,
  ...frontends: Parameters<Dataplane['adopt']>[0]
): Promise<Dataplane> {
  const plane = createNftablesPlane({ network: { ...network, ...settings } });
  planes.push(plane);
  assert.deepEqual((await plane.adopt(frontends)).refused, []);
  return plane;
}

before(async () => {
  const pods = ['10.244.0.1', 'fd00:244::1'] as const;
  hosts = new HostNetwork([
    { name: 'pod1', addresses: [ipv4.pods.pod1, ipv6.pods.pod1], gateways: pods },
    { name: 'pod2', addresses: [ipv4.pods.pod2, ipv6.pods.pod2], gateways: pods },
    { name: 'pod3', addresses: [ipv4.pods.pod3, ipv6.pods.pod3], gateways: pods },
    { name: 'client', addresses: [ipv4.sources.client, ipv6.sources.client], gateways: pods },
    { name: 'outside', addresses: [ipv4.sources.outside, ipv6.sources.outside], gateways: [ipv4.node, ipv6.node] },
  ]);
  using route = openRoute();
  const linkIndex = route.link('to-outside')?.index ?? 0;
  route.replaceRoute({ destination: '0.0.0.0/0', linkIndex, gateway: ipv4.sources.outside });
  for (const [name, address] of Object.entries(ipv4.pods)) await hosts.host(name).serve(address, 8080);
});

afterEach(async () => {
  for (const plane of planes.splice(0)) await plane.close();
  nft('flush', 'ruleset');
});

after(() => hosts[Symbol.asyncDispose]());

async function seenBy(caller: string, address: string, port: number, times = 1): Promise<string[]> {
  const answers: string[] = [];
  for (let time = 0; time < times; time += 1) answers.push(await hosts.host(caller).call(address, port, false));
  return answers;
}

test('masqueradeAll shows the node to every backend, whoever calls and whatever they call', async () => {
  const port = make.make('NodePort', undefined, 30080, all, { external: local, masquerade: 'never' });
  await adopt({ masqueradeAll: true }, make.clusterIp(all), port);
  for (const [caller, address, called] of [
    ['client', vip, 80],
    ['outside', vip, 80],
    ['outside', ipv4.node, 30080],
  ] as const) {
    const [answer = ''] = await seenBy(caller, address, called);
    assert.match(answer, /^pod\d (10\.244\.0\.1|192\.0\.2\.1)$/, `${caller} to ${address}`);
  }
});

test('podLinks decide who is a Pod of this node, and addresses do not', async () => {
  const port = make.make('NodePort', undefined, 30080, make.forward('pod3'), { external: local, masquerade: 'never' });
  const frontends = [make.clusterIp(all), port];
  await adopt({ podLinks: ['to-client', 'to-pod*'] }, ...frontends);
  assert.match((await seenBy('client', vip, 80))[0] ?? '', / 10\.244\.0\.20$/, 'kept: through its link');
  assert.match((await seenBy('client', ipv4.node, 30080))[0] ?? '', /^pod3 /, 'inside');
  assert.match((await seenBy('outside', vip, 80))[0] ?? '', /^pod\d (10\.244\.0\.1|192\.0\.2\.1)$/);
  for (const answer of await seenBy('outside', ipv4.node, 30080, 6)) assert.match(answer, /^pod[12] 192\.0\.2\.100$/);
  const listing = nft('list', 'table', 'ip', 'fairlead');
  for (const line of ['iifname "to-client" goto inside', 'iifname "to-pod*" goto inside', 'oifname "to-pod*" drop']) {
    assert.ok(listing.includes(line), listing);
  }
  await planes.pop()?.close();
  await adopt({ podLinks: ['to-out*'] }, ...frontends);
  assert.match((await seenBy('client', vip, 80))[0] ?? '', / 10\.244\.0\.1$/, 'its address alone makes it no Pod');
  assert.match((await seenBy('outside', vip, 80))[0] ?? '', / 192\.0\.2\.100$/);
  assert.match((await seenBy('outside', ipv4.node, 30080))[0] ?? '', /^pod3 192\.0\.2\.100$/);
});

test('node ports answer on the addresses of nodePortAddresses alone', async () => {
  await adopt({ nodePortAddresses: ['192.0.2.0/28'] }, make.make('NodePort', undefined, 30080, all));
  assert.match((await seenBy('outside', ipv4.node, 30080))[0] ?? '', /^pod/);
  assert.deepEqual(await seenBy('outside', '10.244.0.1', 30080), ['refused']);
  assert.deepEqual(await seenBy('node', '10.244.0.1', 30080), ['refused']);
});

test('other settings replace the tables in one step: no connection fails meanwhile, none that is open ends', async () => {
  await adopt({}, make.clusterIp(all));
  const client = hosts.host('client');
  const first = await client.hold(vip, 80, false);
  const comment = () => /comment "(fairlead services, rules \w+)"/.exec(nft('list', 'table', 'ip', 'fairlead'))?.[1];
  const before = comment();
  const answers: string[] = [];
  const end = new AbortController();
  const calls = (async () => {
    while (!end.signal.aborted) answers.push(...(await seenBy('outside', vip, 80)));
  })();
  await until(() => answers.length > 5, 'calls');
  for (const settings of [{ masqueradeAll: true }, { podLinks: ['to-client'] }, { masqueradeAll: true }, {}]) {
    const calledSoFar = answers.length;
    await adopt(settings, make.clusterIp(all));
    await until(() => answers.length > calledSoFar + 5, 'more calls');
  }
  end.abort();
  await calls;
  assert.ok(
    answers.every((answer) => answer.startsWith('pod')),
    answers.join(),
  );
  assert.equal(await client.again(), first);
  assert.equal(comment(), before);
  const looking = createNftablesPlane({ network: { ...network, masqueradeAll: true } });
  planes.push(looking);
  assert.deepEqual(
    (await looking.dump()).map(({ key }) => key),
    ['10.96.0.10:80/TCP'],
    'who only looks need not know the settings',
  );
});
