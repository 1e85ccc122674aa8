import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { isolateNetwork } from '../linux/namespaces.ts';
import { openRoute } from '../linux/route.ts';
import { silentLogger } from '../observe/log.ts';
import { describeFrontend } from '../routing/fixtures.ts';
import type { Frontend, Protocol, Target } from '../routing/frontend.ts';
import { Frontends } from './contract/frontends.ts';
import { ipv4, ipv6, network } from './contract/worlds.ts';
import { type Dataplane, refusalText } from './dataplane.ts';
import { openPlane } from './open-plane.ts';

isolateNetwork();

const node = '192.0.2.1';
const backendPort = 8080;
let plane: Dataplane;

before(async () => {
  using route = openRoute();
  const link = route.createLink({ kind: 'bridge', name: 'node', up: true });
  route.addAddress(link.index, `${node}/32`);
  for (const host of [node, '::1']) {
    const server = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end(`tcp ${host}`),
    );
    server.listen(backendPort, host);
    const udp = createSocket(host.includes(':') ? 'udp6' : 'udp4').bind(backendPort, host);
    udp.on('message', (_, peer) => udp.send(`udp ${host}`, peer.port, peer.address));
    await Promise.all([once(server, 'listening'), once(udp, 'listening')]);
    server.unref();
    udp.unref();
  }
  plane = await open();
});

function open(): Promise<Dataplane> {
  return openPlane('nftables', { network: { ...network, nodePortLocalhost: true }, logger: silentLogger });
}

after(() => plane.remove());

function nodePort(family: 'IPv4' | 'IPv6', protocol: Protocol, port: number): Frontend {
  const address = family === 'IPv4' ? node : '::1';
  const target: Target = { verdict: 'forward', backends: [{ address, port: backendPort, weight: 1, local: true }] };
  return new Frontends(family === 'IPv4' ? ipv4 : ipv6).make('NodePort', undefined, port, target, { protocol });
}

function apply(changed: readonly Frontend[], removed: readonly string[] = []) {
  return plane.apply({ changed, removed, triggeredAtMs: undefined });
}

async function callTcp(host: string, port: number): Promise<string> {
  const socket = connect({ host, port });
  const answer = await Promise.race([once(socket, 'data'), once(socket, 'error')]).catch((error: unknown) => [error]);
  socket.destroy();
  return String(answer[0]);
}

async function callUdp(host: string, port: number): Promise<string> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.send('?', port, host);
  const [answer] = await once(socket, 'message');
  socket.close();
  return String(answer);
}

test('node ports answer on 127.0.0.1 and ::1, over TCP and UDP, and on the addresses of the node', async () => {
  const frontends = [
    nodePort('IPv4', 'TCP', 30_080),
    nodePort('IPv6', 'TCP', 30_080),
    nodePort('IPv4', 'UDP', 30_081),
    nodePort('IPv6', 'UDP', 30_081),
    nodePort('IPv4', 'SCTP', 30_082),
  ];
  assert.deepEqual((await plane.adopt(frontends)).refused, []);
  assert.equal(await callTcp('127.0.0.1', 30_080), `tcp ${node}`);
  assert.equal(await callTcp(node, 30_080), `tcp ${node}`);
  assert.equal(await callTcp('::1', 30_080), 'tcp ::1');
  assert.equal(await callUdp('127.0.0.1', 30_081), `udp ${node}`);
  assert.equal(await callUdp('::1', 30_081), 'udp ::1');
  assert.deepEqual((await plane.dump()).map(describeFrontend).length, frontends.length);
});

test('a node port that goes is refused on localhost too', async () => {
  await apply([], ['*:30080/TCP']);
  assert.match(await callTcp('127.0.0.1', 30_080), /ECONNREFUSED/);
  assert.equal(await callTcp('::1', 30_080), 'tcp ::1', 'the other family stays');
});

test('a port that another program has on localhost is told, works on the node, and is had when it is free', async () => {
  const other = createServer().listen(30_090, '127.0.0.1');
  await once(other, 'listening');
  const frontend = nodePort('IPv4', 'TCP', 30_090);
  const [refusal] = (await apply([frontend])).refused;
  assert.ok(refusal);
  assert.equal(
    refusalText(refusal, 'node-1'),
    '*:30090/TCP is in force on node-1, but not on localhost: another program has node port 30090',
  );
  assert.equal(await callTcp(node, 30_090), `tcp ${node}`);
  other.close();
  await once(other, 'close');
  assert.deepEqual((await apply([frontend])).refused, []);
  assert.equal(await callTcp('127.0.0.1', 30_090), `tcp ${node}`);
});

test('a node port that the kernel refuses is not on localhost either', async () => {
  const frontend = nodePort('IPv4', 'TCP', 30_093);
  await apply([frontend]);
  assert.equal(await callTcp('127.0.0.1', 30_093), `tcp ${node}`);
  const { refused } = await apply([{ ...frontend, affinity: { timeoutSeconds: 2e14 } }]);
  assert.match(refused[0]?.reason ?? '', /^a number in it is more than the kernel takes/);
  assert.match(await callTcp('127.0.0.1', 30_093), /ECONNREFUSED/);
});

/** Flows that are tracked to a UDP port of the node. */
function flowsTo(port: number): number {
  const { stdout, stderr, error } = spawnSync('conntrack', ['-L', '-p', 'udp', '-d', node, '--dport', `${port}`]);
  if (error !== undefined) throw error;
  assert.match(String(stderr), /flow entries/);
  return String(stdout).split('\n').filter(Boolean).length;
}

test('a node port that is refused on localhost alone keeps the flows to the addresses of the node', async () => {
  const frontend = nodePort('IPv4', 'UDP', 30_091);
  await apply([frontend]);
  assert.equal(await callUdp(node, 30_091), `udp ${node}`);
  assert.equal(flowsTo(30_091), 1);
  await apply([], [frontend.key]);
  assert.equal(flowsTo(30_091), 0, 'one that goes has no flows any more');

  const other = createSocket('udp4').bind(30_091, '127.0.0.1');
  other.unref();
  await once(other, 'listening');
  assert.equal((await apply([frontend])).refused.length, 1);
  assert.equal(await callUdp(node, 30_091), `udp ${node}`);
  assert.equal((await apply([frontend])).refused.length, 1);
  assert.equal(flowsTo(30_091), 1);
  await apply([], [frontend.key]);
  assert.equal(flowsTo(30_091), 0);
  other.close();
});

test('flows of a node port that is not wanted any more end when the plane is taken over', async () => {
  await apply([nodePort('IPv4', 'UDP', 30_092)]);
  assert.equal(await callUdp(node, 30_092), `udp ${node}`);
  await plane.close();
  assert.equal(flowsTo(30_092), 1);
  plane = await open();
  const { displaced = [] } = await plane.adopt([]);
  assert.ok(displaced.some(({ key }) => key === '*:30092/UDP'));
  assert.equal(flowsTo(30_092), 0);
});
