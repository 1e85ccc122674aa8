import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { writeSysctl } from '../../linux/sysctl.ts';
import { cleanUpNftables, hasNftablesTables } from '../clean-up.ts';
import { Frontends } from '../contract/frontends.ts';
import type { HostNetwork } from '../contract/host-network.ts';
import { ipv4, network } from '../contract/worlds.ts';
import { createNftablesPlane } from './plane.ts';
import { nft, startPods, until } from './testing.ts';

isolateNetwork();

const make = new Frontends(ipv4);
const [vip] = ipv4.services;
const frontends = [
  make.clusterIp(make.forward('pod1', 'pod2')),
  make.clusterIp(make.forward('pod1'), { protocol: 'UDP' }),
];
let hosts: HostNetwork;

before(async () => {
  hosts = await startPods();
});

afterEach(() => nft('flush', 'ruleset'));

after(() => hosts[Symbol.asyncDispose]());

/** A process that programs the frontends and ends. */
async function serve(): Promise<void> {
  const plane = createNftablesPlane({ network });
  await plane.adopt(frontends);
  await plane.close();
}

async function ask(socket: Socket): Promise<string> {
  socket.write('?');
  const [data] = await once(socket, 'data', { signal: AbortSignal.timeout(2000) });
  return String(data);
}

test('connections go on until they end; then nothing of ours is left', async () => {
  await serve();
  const client = hosts.host('client');
  const udp = await client.hold(vip, 80, true);
  const socket = connect({ host: vip, port: 80 });
  const first = await ask(socket);
  const retired = createNftablesPlane({ network }).retire(new AbortController().signal);
  let isDone = false;
  void retired.then(() => (isDone = true));
  assert.equal(await ask(socket), first);
  assert.equal(await client.again(), udp);
  assert.notEqual(await client.call(vip, 80, false), first, 'no new connection');
  assert.match(nft('list', 'ruleset'), /table ip fairlead-retired/);
  assert.ok(!nft('list', 'ruleset').includes('table ip fairlead {'));
  assert.equal(isDone, false);
  for (const time of ['fin_wait', 'time_wait', 'close_wait', 'last_ack', 'close']) {
    writeSysctl(`net.netfilter.nf_conntrack_tcp_timeout_${time}`, '1');
  }
  writeSysctl('net.netfilter.nf_conntrack_udp_timeout', '1');
  writeSysctl('net.netfilter.nf_conntrack_udp_timeout_stream', '1');
  assert.equal(await client.again(), udp, 'the new time-out begins with this packet');
  socket.destroy();
  await until(() => isDone, 'retired');
  assert.equal(nft('list', 'ruleset'), '');
});

test('without a chain the kernel would translate nothing more: an abort ends the connections', async () => {
  await serve();
  const client = hosts.host('client');
  assert.match(await client.hold(vip, 80, false), /^pod/);
  const patience = new AbortController();
  const retired = createNftablesPlane({ network }).retire(patience.signal);
  assert.match(await client.again(), /^pod/);
  patience.abort();
  await retired;
  assert.equal(nft('list', 'ruleset'), '');
  assert.equal(await client.again(), 'timeout');
});

test('another process goes on with a retirement, or takes it back', async () => {
  await serve();
  const client = hosts.host('client');
  const server = await client.hold(vip, 80, false);
  const patience = new AbortController();
  const first = createNftablesPlane({ network });
  void first.retire(patience.signal);
  assert.ok(hasNftablesTables());
  const second = createNftablesPlane({ network });
  void second.retire(patience.signal);
  assert.equal(await client.again(), server);
  const back = createNftablesPlane({ network });
  await back.adopt(frontends);
  assert.equal(await client.again(), server);
  assert.match(await client.call(vip, 80, false), /^pod/);
  assert.ok(!nft('list', 'ruleset').includes('fairlead-retired'));
  await back.close();
  patience.abort();
  cleanUpNftables();
  assert.ok(!hasNftablesTables());
});
