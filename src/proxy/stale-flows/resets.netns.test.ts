import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import type { Frontend, Target } from '../../routing/frontend.ts';
import { Frontends, changesBetween } from '../contract/frontends.ts';
import type { HostNetwork } from '../contract/host-network.ts';
import { ipv4, ipv6, network } from '../contract/worlds.ts';
import type { Dataplane } from '../dataplane.ts';
import { createNftablesPlane } from '../nftables/plane.ts';
import { openKernelFlows } from './kernel-flows.ts';
import { endingStaleFlows } from './plane.ts';
import { startMachines } from './testing.ts';

isolateNetwork();

let hosts: HostNetwork;
let plane: Dataplane;
let inForce: readonly Frontend[] = [];

before(async () => {
  hosts = await startMachines();
});

afterEach(async () => {
  await plane.remove();
  spawnSync('conntrack', ['-F']);
});

after(async () => hosts[Symbol.asyncDispose]());

/** `own`: only sockets of the node's own namespace are in reach, as those of another machine are not. */
async function open(desired: readonly Frontend[], reach: 'machine' | 'own'): Promise<void> {
  const flows = reach === 'own' ? openKernelFlows((work) => work()) : openKernelFlows();
  plane = endingStaleFlows((onRestored) => createNftablesPlane({ network, onRestored }), { flows });
  await plane.adopt(desired);
  inForce = desired;
}

async function become(next: readonly Frontend[]): Promise<void> {
  await plane.apply(changesBetween(inForce, next));
  inForce = next;
}

/** Asks over the held connection until it is over; says how. Fails when it is not in time. */
async function end(host: string): Promise<string> {
  const deadline = Date.now() + 5000;
  for (;;) {
    const answer = await hosts.host(host).again();
    if (!answer.startsWith('pod')) return answer;
    assert.ok(Date.now() < deadline, `still answered by ${answer}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function stateOf(destination: string): string | undefined {
  const { stdout } = spawnSync('conntrack', ['-L', '-p', 'tcp', '-d', destination]);
  return /tcp +6 \d+ (\w+)/.exec(String(stdout))?.[1];
}

const drained = { resetAfterSeconds: 0.2 };

for (const world of [ipv4, ipv6]) {
  const make = new Frontends(world);
  const [vip] = world.services;
  const nodePort = (target: Target) => make.make('NodePort', undefined, 30080, target, drained);
  for (const caller of ['client', 'node', 'outside']) {
    test(`${world.family} ${caller}: a client on this machine gets an error after the drain time, not before`, async () => {
      await open([make.clusterIp(make.forward('pod1'), drained)], 'machine');
      assert.match(await hosts.host(caller).hold(vip, 80, false), /^pod1 /);
      await become([make.clusterIp(make.forward('pod2'), drained)]);
      assert.match(await hosts.host(caller).again(), /^pod1 /);
      assert.equal(await end(caller), 'read ECONNABORTED');
      assert.equal(stateOf(vip), 'CLOSE', 'the server was told');
      assert.match(await hosts.host(caller).call(vip, 80, false), /^pod2 /);
    });
  }

  for (const [what, target] of [
    ['with another backend', make.forward('pod2')],
    ['without any backend', { verdict: 'reject', backends: [] }],
  ] as const) {
    test(`${world.family} ${what}: a client elsewhere gets a reset at its next packet after the drain time`, async () => {
      await open([nodePort(make.forward('pod1'))], 'own');
      assert.match(await hosts.host('outside').hold(world.node, 30080, false), /^pod1 /);
      await become([nodePort(target)]);
      assert.match(await hosts.host('outside').again(), /^pod1 /);
      assert.equal(await end('outside'), 'reset');
    });
  }
}

const make = new Frontends(ipv4);
const [first, second] = ipv4.services;
const other = (target: Target, more = {}) => make.make('ClusterIP', second, 80, target, more);

test('a backend that comes back before its time keeps its connections, as does one without the policy', async () => {
  const all = make.forward('pod1');
  await open([make.clusterIp(all, drained), other(all), nodePortOf(all)], 'machine');
  assert.match(await hosts.host('client').hold(first, 80, false), /^pod1 /);
  assert.match(await hosts.host('node').hold(second, 80, false), /^pod1 /);
  assert.match(await hosts.host('outside').hold(ipv4.node, 30080, false), /^pod1 /);
  const rest = make.forward('pod2');
  await become([make.clusterIp(rest, drained), other(rest), nodePortOf(rest)]);
  await become([make.clusterIp(all, drained), other(rest), nodePortOf(rest)]);
  assert.equal(await end('outside'), 'read ECONNABORTED', 'all their time is over now');
  assert.match(await hosts.host('client').again(), /^pod1 /);
  assert.match(await hosts.host('node').again(), /^pod1 /);
});

function nodePortOf(target: Target): Frontend {
  return make.make('NodePort', undefined, 30080, target, { resetAfterSeconds: 0.4 });
}

/** A connection from that local port of the node, with a first answer. */
async function connectFrom(localPort: number, host: string): Promise<Socket> {
  const socket = connect({ host, port: 80, localPort }).setEncoding('utf8');
  socket.unref().write('\n');
  assert.match(String((await once(socket, 'data'))[0]), /^pod1 /);
  return socket;
}

test('connections from one local port to two Services end, both of them', async () => {
  await open([make.clusterIp(make.forward('pod1'), drained), other(make.forward('pod1'), drained)], 'machine');
  const sockets = [await connectFrom(45_000, first), await connectFrom(45_000, second)];
  const ends = sockets.map((socket) => once(socket, 'error', { signal: AbortSignal.timeout(5000) }));
  await become([make.clusterIp(make.forward('pod2'), drained), other(make.forward('pod2'), drained)]);
  assert.match(String((await Promise.all(ends)).flat()), /ECONNABORTED.*ECONNABORTED/);
});

test('a restart goes on draining, from what is still tracked', async () => {
  await open([make.clusterIp(make.forward('pod1', 'pod2'), drained), nodePortOf(make.forward('pod2'))], 'machine');
  await become([make.clusterIp(make.forward('pod1'), drained), nodePortOf(make.forward('pod2'))]);
  assert.match(await hosts.host('client').hold(first, 80, false), /^pod1 /);
  assert.match(await hosts.host('outside').hold(ipv4.node, 30080, false), /^pod2 /);
  await plane.close();
  await open([make.clusterIp(make.forward('pod2'), drained), nodePortOf(make.forward('pod2'))], 'machine');
  assert.equal(await end('client'), 'read ECONNABORTED');
  assert.match(await hosts.host('outside').again(), /^pod2 /);
});
