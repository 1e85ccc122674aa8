import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { openPinnedMap } from '../../linux/bpf/installation.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { Frontends, type World } from '../contract/frontends.ts';
import { targetPort } from '../contract/server.ts';
import { waitFor } from '../../../test/support/wait.ts';
import { HostNetwork } from '../contract/host-network.ts';
import { ipv4, ipv6, network } from '../contract/worlds.ts';
import type { Dataplane } from '../dataplane.ts';
import { socketPlace } from './place.ts';
import { enterEbpfPlace } from './testing.ts';

isolateNetwork();

const place = enterEbpfPlace();
const worlds = [ipv4, ipv6] as const;
let plane: Dataplane;
let hosts: HostNetwork;

before(async () => {
  const gateways = ['10.244.0.1', 'fd00:244::1'] as const;
  const at = (name: 'pod1' | 'pod2' | 'pod3') => [ipv4.pods[name], ipv6.pods[name]];
  hosts = new HostNetwork([
    { name: 'pod1', addresses: at('pod1'), gateways, isBridged: true },
    { name: 'pod2', addresses: at('pod2'), gateways, isBridged: true },
    { name: 'pod3', addresses: at('pod3'), gateways, isBridged: true },
    { name: 'client', addresses: [ipv4.sources.client, ipv6.sources.client], gateways, isBridged: true },
  ]);
  for (const { pods } of worlds) {
    for (const [name, address] of Object.entries(pods)) {
      for (const port of [targetPort, 9000, 9005]) await hosts.host(name).serve(address, port);
    }
  }
  for (const { pods } of worlds) for (const address of Object.values(pods)) await reachable(address);
  plane = place.open({ ...network, nodePortLocalhost: true });
  await plane.adopt([]);
});

afterEach(async () => {
  const removed = (await plane.dump()).map(({ key }) => key);
  await plane.apply({ changed: [], removed, triggeredAtMs: undefined });
});

after(async () => {
  await place[Symbol.asyncDispose]();
  await hosts[Symbol.asyncDispose]();
});

/** IPv6 links take a second until they find their neighbours. */
function reachable(address: string): Promise<unknown> {
  const ask = async () => (await hosts.host('client').call(address, targetPort, false)).startsWith('pod');
  return waitFor(ask, { what: `an answer of ${address}` });
}

async function put(...changed: Frontend[]): Promise<void> {
  assert.deepEqual((await plane.apply({ changed, removed: [], triggeredAtMs: undefined })).refused, []);
}

/** One TCP connection from the node: who answers, and whom the socket says it is connected to. */
async function call(host: string, port: number): Promise<{ server: string; peer: string }> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    const peer = `${socket.remoteAddress} ${socket.remotePort}`;
    socket.write('?');
    const [data] = (await once(socket, 'data')) as [Buffer];
    return { server: data.toString().split(' ')[0] ?? '', peer };
  } finally {
    socket.destroy();
  }
}

async function servers(times: number, host: string, port: number): Promise<string[]> {
  const found: string[] = [];
  for (let time = 0; time < times; time += 1) found.push((await call(host, port)).server);
  return found;
}

/** A UDP socket of the node that is not connected. */
function openUdp(family: World['family']) {
  const socket = createSocket(family === 'IPv4' ? 'udp4' : 'udp6');
  return {
    async ask(host: string, port: number): Promise<{ server: string; peer: string }> {
      socket.send('?', port, host);
      const [data, from] = (await once(socket, 'message', { signal: AbortSignal.timeout(2000) })) as [
        Buffer,
        { address: string; port: number },
      ];
      return { server: data.toString().split(' ')[0] ?? '', peer: `${from.address} ${from.port}` };
    },
    [Symbol.dispose]: () => void socket.close(),
  };
}

for (const world of worlds) {
  const make = new Frontends(world);
  const { family, services } = world;
  const [service] = services;
  const all = make.forward('pod1', 'pod2', 'pod3');
  const udp = { protocol: 'UDP' } as const;
  /** An address of the node. */
  const gateway = family === 'IPv4' ? '10.244.0.1' : 'fd00:244::1';

  test(`${family}: a Pod that calls itself through its Service sees its own address`, async () => {
    await put(make.clusterIp(make.forward('pod1')), make.clusterIp(make.forward('pod1'), udp));
    for (const isUdp of [false, true]) {
      assert.equal(await hosts.host('pod1').call(service, 80, isUdp), `pod1 ${world.pods.pod1}`);
    }
  });

  test(`${family}: a Pod's own address survives on node ports, which never answer on the Pod's loopback`, async () => {
    await put(make.make('NodePort', undefined, 30080, make.forward('pod2')));
    assert.equal(await hosts.host('client').call(gateway, 30080, false), `pod2 ${world.sources.client}`);
    const loopback = family === 'IPv4' ? '127.0.0.1' : '::1';
    assert.equal(await hosts.host('client').call(loopback, 30080, false), 'refused');
  });

  test(`${family}: the node calls node ports on loopback, TCP and UDP`, async () => {
    const loopback = family === 'IPv4' ? '127.0.0.1' : '::1';
    await put(
      make.make('NodePort', undefined, 30080, make.forward('pod2')),
      make.make('NodePort', undefined, 30080, make.forward('pod3'), udp),
    );
    assert.deepEqual(await call(loopback, 30080), { server: 'pod2', peer: `${loopback} 30080` });
    using socket = openUdp(family);
    assert.deepEqual(await socket.ask(loopback, 30080), { server: 'pod3', peer: `${loopback} 30080` });
  });

  test(`${family}: sockets are connected to the address that was called, as far as they know`, async () => {
    await put(make.clusterIp(make.forward('pod1')), make.clusterIp(make.forward('pod2'), udp));
    assert.deepEqual(await call(service, 80), { server: 'pod1', peer: `${service} 80` });
    using socket = openUdp(family);
    assert.deepEqual(await socket.ask(service, 80), { server: 'pod2', peer: `${service} 80` });
    // A backend that is called by its own address keeps it.
    assert.deepEqual(await call(world.pods.pod1, targetPort), {
      server: 'pod1',
      peer: `${world.pods.pod1} ${targetPort}`,
    });
  });

  test(`${family}: a UDP socket that is not connected stays when another backend comes, and moves when its own goes`, async () => {
    using socket = openUdp(family);
    await put(make.clusterIp(make.forward('pod1'), udp));
    assert.equal((await socket.ask(service, 80)).server, 'pod1');
    await put(make.clusterIp(all, udp));
    for (let time = 0; time < 5; time += 1) assert.equal((await socket.ask(service, 80)).server, 'pod1');
    await put(make.clusterIp(make.forward('pod2', 'pod3'), udp));
    const moved = await socket.ask(service, 80);
    assert.match(moved.server, /^pod[23]$/);
    for (let time = 0; time < 5; time += 1) assert.deepEqual(await socket.ask(service, 80), moved);
  });

  test(`${family}: a client that was idle for its affinity's time draws again, any other stays`, async () => {
    await put(make.clusterIp(all, { affinity: { timeoutSeconds: 60 } }));
    assert.equal(new Set(await servers(10, service, 80)).size, 1);
    const drawn = new Set<string>();
    for (let time = 0; time < 30; time += 1) {
      ageMemories(59);
      const [before] = await servers(1, service, 80);
      assert.ok(drawn.size === 0 || drawn.has(before ?? ''), 'not idle for long enough');
      ageMemories(61);
      for (const server of await servers(1, service, 80)) drawn.add(server);
    }
    assert.deepEqual([...drawn].sort(), ['pod1', 'pod2', 'pod3']);
  });

  test(`${family}: a Pod stays with its backend under mh, and when another goes`, async () => {
    await put(make.clusterIp(all, { scheduler: 'mh' }));
    const ask = async () => (await hosts.host('client').call(service, 80, false)).split(' ')[0] ?? '';
    const mine = await ask();
    for (let time = 0; time < 10; time += 1) assert.equal(await ask(), mine);
    for (const other of ['pod1', 'pod2', 'pod3'].filter((name) => name !== mine)) {
      const rest = (['pod1', 'pod2', 'pod3'] as const).filter((name) => name !== other);
      await put(make.clusterIp(make.forward(...rest), { scheduler: 'mh' }));
      assert.equal(await ask(), mine);
    }
  });

  test(`${family}: rr takes turns on each processor`, async () => {
    await put(make.clusterIp(all, { scheduler: 'rr' }));
    const counts = Map.groupBy(await servers(30, service, 80), (server) => server);
    for (const [server, { length }] of counts) assert.ok(Math.abs(length - 10) <= 2, `${server} ${length}`);
  });

  test(`${family}: a range of ports keeps the port that was called`, async () => {
    const range = { verdict: 'forward', backends: [{ ...make.backend('pod1'), port: 9000 }] } as const;
    await put(make.make('ClusterIP', service, 9000, range, { lastPort: 9005 }));
    for (const port of [9000, 9005])
      assert.deepEqual(await call(service, port), { server: 'pod1', peer: `${service} ${port}` });
    await assert.rejects(call(service, 9003), /ECONNREFUSED/, 'nothing listens there');
    await put(make.make('ClusterIP', service, 9000, range, { lastPort: 9004 }));
    await assert.rejects(call(service, 9005), /ECONNREFUSED|ENETUNREACH/, 'not in the range any more');
  });

  test(`${family}: each call is counted`, async () => {
    await put(make.clusterIp(all), make.clusterIp(all, udp));
    await servers(7, service, 80);
    assert.match(await hosts.host('client').call(service, 80, false), /^pod/);
    assert.match(await hosts.host('client').call(service, 80, true), /^pod/);
    const counters = await plane.counters();
    const host = family === 'IPv4' ? service : `[${service}]`;
    assert.deepEqual(counters.get(`${host}:80/TCP`), { connections: 8 });
    assert.deepEqual(counters.get(`${host}:80/UDP`), { connections: 1 });
  });
}

test('IPv6 sockets that talk IPv4 are served', async () => {
  const make = new Frontends(ipv4);
  await put(make.clusterIp(make.forward('pod1')), make.clusterIp(make.forward('pod2'), { protocol: 'UDP' }));
  const mapped = `::ffff:${ipv4.services[0]}`;
  assert.deepEqual(await call(mapped, 80), { server: 'pod1', peer: `${mapped} 80` });
  using socket = openUdp('IPv6');
  assert.deepEqual(await socket.ask(mapped, 80), { server: 'pod2', peer: `${mapped} 80` });
});

/** Makes everything that clients remember older. */
function ageMemories(seconds: number): void {
  using memories = openPinnedMap(socketPlace(place.options), 'memories') ?? assert.fail('nothing is pinned');
  for (const [key, value] of memories.entries()) {
    value.writeBigUInt64LE(BigInt.asUintN(64, value.readBigUInt64LE() - BigInt(seconds) * 1_000_000_000n));
    memories.update([[key, value]]);
  }
}
