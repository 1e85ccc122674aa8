import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import {
  createNetworkNamespace,
  inNetworkNamespace,
  isolateNetwork,
  removeNetworkNamespace,
} from '../../linux/namespaces.ts';
import { openRoute } from '../../linux/route.ts';
import { readSysctl, writeSysctl } from '../../linux/sysctl.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { everyScheduler, Frontends } from '../contract/frontends.ts';
import type { HostNetwork } from '../contract/host-network.ts';
import { declareModel } from '../contract/model.ts';
import { ipv4, ipv6, network } from '../contract/worlds.ts';
import type { Dataplane } from '../dataplane.ts';
import { differencesBetween } from '../differences.ts';
import { createNftablesPlane } from '../nftables/plane.ts';
import { Forwarding } from './forwarding.ts';
import { ipvsObstacle } from './obstacle.ts';
import { createIpvsPlane, type IpvsOptions } from './plane.ts';
import { hasIpvsPlane } from './presence.ts';
import { wantedSysctls } from './sysctls.ts';
import { apply, Conversation, countOf, eventually, ipvsadm, openPods } from './testing/world.ts';

isolateNetwork();

let plane: Dataplane;
let hosts: HostNetwork;
const make = new Frontends(ipv4);
const all = make.forward('pod1', 'pod2');
const local = make.forward('pod1');
const [address] = ipv4.services;
const nodeAddress = '10.244.0.1';

function atPort(port: number): Frontend['internal'] {
  return { ...all, backends: all.backends.map((backend) => ({ ...backend, port })) };
}

/** One of each kind of frontend. */
const everySort: readonly Frontend[] = [
  make.clusterIp(all, { affinity: { timeoutSeconds: 60 } }),
  make.clusterIp(all, { protocol: 'UDP', scheduler: 'sh' }),
  make.make('ClusterIP', ipv4.services[1], 80, { verdict: 'reject', backends: [] }),
  make.make('ClusterIP', ipv4.services[2], 8000, atPort(8000), { lastPort: 8100 }),
  make.make('NodePort', undefined, 30080, all, { external: local, masquerade: 'never' }),
  make.make('LoadBalancer', ipv4.external, 80, all, { sourceRanges: ['10.244.0.0/16'], portName: 'web' }),
  make.make('ExternalIP', '203.0.113.81', 80, local, { external: { verdict: 'drop', backends: [] } }),
  new Frontends(ipv6).clusterIp(new Frontends(ipv6).forward('pod1')),
  new Frontends(ipv6).make('NodePort', undefined, 30080, new Frontends(ipv6).forward('pod1')),
];

before(async () => {
  hosts = await openPods(['pod1', 'pod2']);
});

after(async () => {
  await hosts[Symbol.asyncDispose]();
});

beforeEach(async () => {
  plane = openPlane();
  await plane.adopt([]);
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  for (const each of held.splice(0)) each.reset();
  await createIpvsPlane({ network }).remove();
});

const opened: Dataplane[] = [];
const held: Conversation[] = [];

/** A plane as another process would open it. */
function openPlane(options: Partial<IpvsOptions> = {}): Dataplane {
  const made = createIpvsPlane({ network, ...options });
  opened.push(made);
  return made;
}

/** Connections of the node that have been answered, and by whom. */
async function hold(...targets: readonly (readonly [string, number])[]): Promise<string[]> {
  const conversations = targets.map(([host, port]) => new Conversation(host, port));
  held.push(...conversations);
  return Promise.all(conversations.map((each) => each.ask()));
}

function askAgain(): Promise<string[]> {
  return Promise.all(held.map((each) => each.ask()));
}

function endHeld(): void {
  for (const each of held.splice(0)) each.reset();
}

test('an obstacle is looked for, and nothing of the trial stays', async () => {
  const before_ = ipvsadm('-Sn');
  assert.equal(ipvsObstacle(), undefined);
  assert.deepEqual(ipvsadm('-Sn'), before_);
  await plane.remove();
  assert.equal(hasIpvsPlane(), false);
  assert.equal(execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' }), '');
});

for (const [seed, world] of [ipv4, ipv6].entries()) {
  declareModel(`IPVS ${world.family}`, () => plane, { world, seed, steps: 25, firstPort: 80, hasRoutedKinds: true });
}

test('a connection survives its backend, new ones go elsewhere, and the backend goes with its last connection', async () => {
  await apply(plane, [make.clusterIp(make.forward('pod1'))]);
  assert.deepEqual(await hold([address, 80]), ['pod1']);
  await apply(plane, [make.clusterIp(make.forward('pod2'))]);
  assert.deepEqual(await servers(3), { pod2: 3 });
  assert.deepEqual(await askAgain(), ['pod1']);
  assert.ok(ipvsadm('-Sn').includes(`-a -t ${address}:80 -r ${ipv4.pods.pod1}:8080 -m -w 0`));
  endHeld();
  await eventually(() => assert.ok(!ipvsadm('-Sn').join(' ').includes(`-r ${ipv4.pods.pod1}:8080`)), 20);
});

/** Who answers calls of a Pod to the cluster address. */
async function servers(times: number): Promise<Record<string, number>> {
  return countOf(await Array.fromAsync({ length: times }, () => hosts.host('client').call(address, 80, false)));
}

test('a backend that comes back while it drains is one again', async () => {
  await apply(plane, [make.clusterIp(make.forward('pod1'))]);
  await hold([address, 80]);
  await apply(plane, [make.clusterIp(make.forward('pod2'))]);
  await apply(plane, [make.clusterIp(make.forward('pod1'))]);
  assert.deepEqual(await servers(2), { pod1: 2 });
  assert.deepEqual(await askAgain(), ['pod1']);
});

test('a drain time that is over ends the connections to a backend that went', async () => {
  const web = (target: Frontend['internal']) => make.clusterIp(target, { resetAfterSeconds: 1 });
  await apply(plane, [web(make.forward('pod1'))]);
  await hold([address, 80]);
  await apply(plane, [web(make.forward('pod2'))]);
  await eventually(() => assert.ok(!ipvsadm('-Sn').join(' ').includes(`-r ${ipv4.pods.pod1}:8080`)), 5);
  await eventually(async () => assert.rejects(askAgain()), 5);
});

test('a removed frontend refuses new connections, and lets those go on that are', async () => {
  await apply(plane, [make.clusterIp(all), make.make('NodePort', undefined, 30080, all)]);
  const before_ = await hold([address, 80], [nodeAddress, 30080]);
  await apply(plane, [], [make.clusterIp(all).key, '*:30080/TCP']);
  assert.deepEqual(await askAgain(), before_);
  assert.deepEqual(await servers(1), { timeout: 1 });
  assert.equal(await hosts.host('client').call(nodeAddress, 30080, false), 'refused');
  assert.deepEqual(await plane.dump(), []);
});

test('a UDP backend goes at once, and its client is served by another', async () => {
  const udp = (target: Frontend['internal']) => make.clusterIp(target, { protocol: 'UDP' });
  await apply(plane, [udp(make.forward('pod1'))]);
  assert.match(await hosts.host('client').hold(address, 80, true), /^pod1/);
  await apply(plane, [udp(make.forward('pod2'))]);
  assert.ok(!ipvsadm('-Sn').join(' ').includes(`-r ${ipv4.pods.pod1}:8080`));
  // One packet is lost with the old connection, unless the stale flow is forgotten (`stale-flows/`).
  await eventually(async () => assert.match(await hosts.host('client').again(), /^pod2/), 5);
});

test('another process takes everything over and changes nothing', async () => {
  assert.deepEqual((await apply(plane, everySort)).refused, []);
  const before_ = await hold([address, 80]);
  const listed = ipvsadm('-Sn');
  await plane.close();
  const second = openPlane();
  assert.deepEqual(await second.adopt(everySort), { refused: [], operations: 0, displaced: [] });
  assert.deepEqual(ipvsadm('-Sn'), listed);
  assert.deepEqual(byKey(await second.dump()), byKey(everySort));
  assert.deepEqual(await askAgain(), before_);
});

test('another process changes only what is different, and tells what is no more', async () => {
  await apply(plane, everySort);
  await plane.close();
  const second = openPlane();
  const [first, ...rest] = everySort;
  const { displaced } = await second.adopt([...rest, make.make('NodePort', undefined, 30081, all)]);
  assert.deepEqual(
    displaced?.map(({ key }) => key),
    [first?.key],
  );
  assert.equal(
    await hosts
      .host('client')
      .call(nodeAddress, 30081, false)
      .then((text) => text.slice(0, 3)),
    'pod',
  );
  assert.equal(
    await hosts
      .host('client')
      .call(nodeAddress, 30080, false)
      .then((text) => text.slice(0, 3)),
    'pod',
  );
  assert.deepEqual(await servers(1), { refused: 1 });
});

test('what nftables refuses stands alone, is told in words, and is said to be no more when it was in force', async () => {
  const port = (first: number, last: number) =>
    make.make('ClusterIP', ipv4.services[2], first, atPort(first), { lastPort: last });
  await apply(plane, [port(8000, 8100), port(8200, 8300)]);
  const web = make.clusterIp(all);
  const { refused } = await apply(plane, [port(8050, 8150), web]);
  assert.match(refused[0]?.reason ?? '', /^its ports overlap with those of another Service \(/);
  assert.deepEqual(
    refused.map(({ key }) => key),
    [port(8050, 8150).key],
  );
  assert.match(await hosts.host('client').call(address, 80, false), /^pod/);
  await plane.close();
  const { displaced = [] } = await openPlane().adopt([port(8000, 8100), port(8050, 8150), port(8200, 8300)]);
  assert.deepEqual(
    displaced.map(({ key }) => key),
    [web.key],
  );
});

test('a process that only looks is told what the kernel has', async () => {
  await apply(plane, everySort);
  const told = byKey(await openPlane().dump());
  assert.deepEqual(told, byKey(everySort).map(asTheKernelKnows));
});

test('a process that only looks sees no difference under any scheduler', async () => {
  const wanted = everyScheduler(make, ipv4.services[1]);
  assert.deepEqual((await apply(plane, wanted)).refused, []);
  assert.deepEqual(differencesBetween(wanted, await openPlane().dump()), []);
});

/** It knows no Pods, and no masquerading of what is not forwarded. */
function asTheKernelKnows(frontend: Frontend): Frontend {
  const anonymous = ({ verdict, backends }: Frontend['internal']) => ({
    verdict,
    backends: backends.map(({ address: at, port, weight, local: isLocal }) => ({
      address: at,
      port,
      weight,
      local: isLocal,
    })),
  });
  return { ...frontend, internal: anonymous(frontend.internal), external: anonymous(frontend.external) };
}

function byKey(frontends: readonly Frontend[]): Frontend[] {
  return [...frontends].sort((a, b) => (a.key < b.key ? -1 : 1));
}

test('what others took away comes back, and what they added goes', async () => {
  await apply(plane, everySort);
  const listed = ipvsadm('-Sn').sort();
  ipvsadm('-C');
  execFileSync('ipvsadm', ['-A', '-t', `${address}:81`, '-s', 'rr']);
  execFileSync('ip', ['link', 'delete', 'fairlead-ipvs']);
  execFileSync('nft', ['delete', 'table', 'ip', 'fairlead-ipvs']);
  await eventually(() => assert.deepEqual(ipvsadm('-Sn').sort(), listed), 10);
  assert.deepEqual(byKey(await plane.dump()), byKey(everySort));
  assert.match(await hosts.host('client').call(address, 80, false), /^pod/);
});

test('real servers that someone took away, added or gave another weight are noticed, and an adoption puts them right', async () => {
  const frontends = [make.clusterIp(all), make.clusterIp(all, { protocol: 'UDP' })];
  await apply(plane, frontends);
  const listed = ipvsadm('-Sn').sort();
  const forwarding = new Forwarding(network);
  try {
    forwarding.load(frontends);
    forwarding.change(frontends, [], true);
    for (const protocol of ['-t', '-u']) {
      const server = [protocol, `${address}:80`];
      for (const harm of [
        ['-d', ...server, '-r', `${ipv4.pods.pod1}:8080`],
        ['-a', ...server, '-r', '192.0.2.66:8080', '-m'],
        ['-e', ...server, '-r', `${ipv4.pods.pod2}:8080`, '-m', '-w', '7'],
      ]) {
        assert.ok(forwarding.areNextServersIntact(1));
        execFileSync('ipvsadm', harm);
        assert.ok(
          ![1, 2].every(() => forwarding.areNextServersIntact(1 / 2)),
          `${harm.join(' ')} is noticed in a round`,
        );
        forwarding.load(frontends);
        forwarding.change(frontends, [], true);
        forwarding.drain(performance.now());
        assert.deepEqual(ipvsadm('-Sn').sort(), listed);
      }
    }
  } finally {
    forwarding.close();
  }
});

test('a link that is down or lost an address is not intact, and an adoption makes it so', async () => {
  await apply(plane, [make.clusterIp(all)]);
  const forwarding = new Forwarding(network);
  try {
    for (const harm of [`addr del ${address}/32 dev fairlead-ipvs`, 'link set fairlead-ipvs down']) {
      forwarding.load([make.clusterIp(all)]);
      forwarding.change([make.clusterIp(all)], [], true);
      assert.ok(forwarding.isIntact());
      assert.match(await hosts.host('client').call(address, 80, false), /^pod/);
      execFileSync('ip', harm.split(' '));
      assert.ok(!forwarding.isIntact(), harm);
    }
  } finally {
    forwarding.close();
  }
});

test('an address that somebody else put on the link, or took from it, stands in no way', async () => {
  const web = make.clusterIp(all);
  execFileSync('ip', ['addr', 'add', `${address}/32`, 'dev', 'fairlead-ipvs']);
  assert.deepEqual((await apply(plane, [web])).refused, []);
  assert.match(await hosts.host('client').call(address, 80, false), /^pod/);
  execFileSync('ip', ['addr', 'del', `${address}/32`, 'dev', 'fairlead-ipvs']);
  assert.deepEqual((await apply(plane, [], [web.key])).refused, []);
  assert.deepEqual(await plane.dump(), []);
});

test('virtual servers of others are never touched', async () => {
  const others = ['-A -f 9 -s rr', '-A -t 192.0.2.77:80 -s rr'];
  for (const each of others) execFileSync('ipvsadm', each.split(' '));
  await apply(plane, everySort);
  await plane.close();
  const second = openPlane();
  await second.adopt([]);
  await second.remove();
  assert.deepEqual(ipvsadm('-Sn').sort(), others);
  ipvsadm('-C');
});

test('retired by a process that never adopted: no new connection, and everything goes with the last', async () => {
  await apply(plane, everySort);
  const before_ = await hold([address, 80]);
  await plane.close();
  const retired = openPlane().retire(new AbortController().signal);
  await eventually(async () => assert.deepEqual(await servers(1), { refused: 1 }), 2);
  assert.deepEqual(await askAgain(), before_);
  assert.equal(hasIpvsPlane(), true);
  endHeld();
  await retired;
  assert.equal(hasIpvsPlane(), false);
  assert.deepEqual(ipvsadm('-Sn'), []);
});

test('an abort ends the waiting, and what is left is taken away', async () => {
  await apply(plane, everySort);
  await hold([address, 80]);
  await plane.retire(AbortSignal.timeout(50));
  assert.equal(hasIpvsPlane(), false);
});

test('nftables takes its place on a running node: not one connection fails, and none is lost', async () => {
  const frontends = [make.clusterIp(all), make.make('NodePort', undefined, 30080, all)];
  await apply(plane, frontends);
  const before_ = await hold([address, 80], [nodeAddress, 30080]);
  const answers: string[] = [];
  const over = new AbortController();
  const calling = (async () => {
    while (!over.signal.aborted) {
      answers.push(await hosts.host('client').call(address, 80, false));
      answers.push(await hosts.host('client').call(nodeAddress, 30080, false));
    }
  })();
  const nftables = createNftablesPlane({ network });
  await nftables.adopt(frontends);
  const retired = plane.retire(over.signal);
  const enough = answers.length + 20;
  await eventually(() => assert.ok(answers.length >= enough), 20);
  assert.deepEqual(await askAgain(), before_);
  over.abort();
  await calling;
  await retired;
  assert.deepEqual(Object.keys(countOf(answers)).sort(), ['pod1', 'pod2']);
  await nftables.remove();
});

test('the sysctls are as this kernel needs them, and time-outs as they were asked for', async () => {
  writeSysctl('net.ipv4.ip_forward', '0');
  await openPlane({ ipvs: { strictArp: true, tcpTimeoutSeconds: 1000 } }).adopt([]);
  const wanted = wantedSysctls(release(), true);
  assert.deepEqual(
    wanted.map(([name]) => [name, readSysctl(name)]),
    wanted,
  );
  assert.match(execFileSync('ipvsadm', ['-L', '--timeout'], { encoding: 'utf8' }), /1000 /);
});

test('under strict ARP no neighbour is told where a cluster address is', async () => {
  writeSysctl('net.ipv4.conf.all.arp_ignore', '0');
  await apply(plane, [make.clusterIp(all)]);
  const neighbour = new Neighbour();
  assert.equal(neighbour.learns(address), true);
  await openPlane({ ipvs: { strictArp: true } }).adopt([make.clusterIp(all)]);
  assert.equal(neighbour.learns(address), false);
  neighbour.remove();
});

/** A machine on a link of its own. */
class Neighbour {
  readonly #folder = mkdtempSync(join(tmpdir(), 'fairlead-neighbour-'));
  readonly #path = join(this.#folder, 'ns');

  constructor() {
    createNetworkNamespace(this.#path);
    using route = openRoute();
    const namespaceFd = openSync(this.#path, 'r');
    route.createLink({ kind: 'veth', name: 'to-neighbour', up: true, peer: { name: 'eth0', namespaceFd } });
    closeSync(namespaceFd);
    route.addAddress('to-neighbour', '192.0.2.9/24');
    this.#inside('ip link set eth0 up && ip addr add 192.0.2.10/24 dev eth0 && ip route add 10.96.0.0/16 dev eth0');
  }

  /** Whether its question for an address that is not of the link is answered. */
  learns(wanted: string): boolean {
    const ask = `ip neigh flush all; curl -s -m 1 http://${wanted}:9/; ip neigh show ${wanted}`;
    return / lladdr /.test(this.#inside(ask));
  }

  remove(): void {
    using route = openRoute();
    route.deleteLink('to-neighbour');
    removeNetworkNamespace(this.#path);
    rmSync(this.#folder, { recursive: true });
  }

  #inside(script: string): string {
    return inNetworkNamespace(this.#path, () => execFileSync('sh', ['-c', script], { encoding: 'utf8' }));
  }
}
