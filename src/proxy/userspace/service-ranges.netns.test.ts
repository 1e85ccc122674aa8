import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { openRoute } from '../../linux/route.ts';
import { silentLogger } from '../../observe/log.ts';
import { Frontends } from '../contract/frontends.ts';
import { targetPort } from '../contract/server.ts';
import { ipv4, network } from '../contract/worlds.ts';
import type { Dataplane } from '../dataplane.ts';
import { openPlane, removePlanes, retireOthers } from '../open-plane.ts';

isolateNetwork();

const options = { network, logger: silentLogger };
const make = new Frontends(ipv4);
const clusterIp = make.clusterIp(make.forward('pod1'));
const [serviceAddress] = ipv4.services;
const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));

before(async () => {
  using route = openRoute();
  for (const address of [ipv4.pods.pod1, ipv4.node]) route.addAddress('lo', `${address}/32`);
  route.replaceRoute({ destination: '10.96.0.0/16', linkIndex: 1, source: ipv4.node });
  server.listen(targetPort, ipv4.pods.pod1);
  await once(server, 'listening');
});
after(() => server.close());

async function open(name: 'userspace' | 'nftables'): Promise<Dataplane> {
  const plane = await openPlane(name, options);
  assert.deepEqual((await plane.adopt([clusterIp])).refused, []);
  return plane;
}

/** A connection that has carried something. */
async function call(): Promise<Socket> {
  const socket = connect(make.servicePort, serviceAddress);
  await once(socket, 'connect');
  await echo(socket);
  return socket;
}

async function echo(socket: Socket): Promise<void> {
  socket.write('x');
  await once(socket, 'data');
}

function localRanges(): readonly string[] {
  using route = openRoute();
  return route.localRanges();
}

test('Services of ordinary ranges are served by a process that may administer the network, and gone with it', async () => {
  const plane = await open('userspace');
  assert.deepEqual(localRanges(), ['10.96.0.0/16']);
  const socket = await call();
  assert.equal(socket.localAddress, ipv4.node, 'the source address is that of the route');
  socket.destroy();
  await plane.remove();
  assert.deepEqual(localRanges(), []);
});

test('a connection of the userspace plane lives on beside the next plane, and its addresses go with it', async () => {
  // Connections are tracked from their start, as on a node whose Pods reach the world.
  execFileSync('nft', ['add table ip other; add chain ip other nat { type nat hook postrouting priority srcnat; }']);
  execFileSync('nft', ['add rule ip other nat ip saddr 10.244.0.0/24 ip daddr 198.51.100.0/24 masquerade']);
  const before = await open('userspace');
  const socket = await call();
  const next = await open('nftables');
  await before.close();
  const retired = retireOthers('nftables', options, new AbortController().signal);
  await echo(socket);
  (await call()).destroy();
  await echo(socket);
  assert.equal(localRanges().length, 1);
  socket.destroy();
  assert.deepEqual(await retired, ['userspace']);
  assert.deepEqual(localRanges(), []);
  (await call()).destroy();
  await next.remove();
});

test('what a process left that was killed is taken away', async () => {
  const plane = await open('userspace');
  await plane.close();
  assert.deepEqual(await removePlanes(), ['the userspace plane of Fairlead']);
  assert.deepEqual(localRanges(), []);
});
