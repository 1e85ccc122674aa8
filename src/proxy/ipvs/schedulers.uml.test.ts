import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import type { Frontend } from '../../routing/frontend.ts';
import type { Scheduler } from '../../routing/scheduler.ts';
import { Frontends } from '../contract/frontends.ts';
import type { HostNetwork } from '../contract/host-network.ts';
import { ipv4, network } from '../contract/worlds.ts';
import type { Dataplane } from '../dataplane.ts';
import { createIpvsPlane } from './plane.ts';
import { apply, Conversation, countOf, eventually, ipvsadm, openPods } from './testing/world.ts';

isolateNetwork();

let plane: Dataplane;
let hosts: HostNetwork;
const make = new Frontends(ipv4);

before(async () => {
  hosts = await openPods(['pod1', 'pod2', 'pod3']);
  plane = createIpvsPlane({ network, ipvs: { udpTimeoutSeconds: 1 } });
  await plane.adopt([]);
});

after(async () => {
  await plane.remove();
  await hosts[Symbol.asyncDispose]();
});

let lastAddress = 100;

/** A frontend at an address that no other test uses, so that no connection of another counts. */
function web(weights: readonly number[], more: Partial<Frontend> = {}): Frontend & { readonly address: string } {
  lastAddress += 1;
  const address = `10.96.1.${lastAddress}`;
  const pods = ['pod1', 'pod2', 'pod3'] as const;
  const backends = weights.map((weight, at) => make.backend(pods[at] ?? 'pod1', weight));
  return { ...make.make('ClusterIP', address, 80, { verdict: 'forward', backends }, more), address };
}

function called(from: string, address: string, times: number, port = 80): Promise<string[]> {
  return Array.fromAsync({ length: times }, () => hosts.host(from).call(address, port, false));
}

interface Row {
  readonly scheduler: Scheduler;
  readonly weights: readonly number[];
  /** Connections, one after the other: closed at once, or kept open. */
  readonly connections: number;
  readonly isHeld?: boolean;
  /** How many backends get how many, whichever they are. */
  readonly expect: readonly number[];
}

const rows: readonly Row[] = [
  { scheduler: 'random', weights: [1, 1, 1], connections: 6, expect: [2, 2, 2] },
  { scheduler: 'random', weights: [4, 1, 1], connections: 12, expect: [8, 2, 2] },
  { scheduler: 'rr', weights: [4, 1, 1], connections: 6, expect: [2, 2, 2] },
  { scheduler: 'wrr', weights: [4, 1, 1], connections: 12, expect: [8, 2, 2] },
  { scheduler: 'lc', weights: [9, 1, 1], connections: 6, isHeld: true, expect: [2, 2, 2] },
  { scheduler: 'wlc', weights: [4, 1, 1], connections: 6, isHeld: true, expect: [4, 1, 1] },
  { scheduler: 'sed', weights: [9, 1, 1], connections: 4, isHeld: true, expect: [4] },
  { scheduler: 'nq', weights: [9, 1, 1], connections: 3, isHeld: true, expect: [1, 1, 1] },
  { scheduler: 'lblc', weights: [9, 9, 9], connections: 3, isHeld: true, expect: [3] },
  { scheduler: 'lblcr', weights: [9, 9, 9], connections: 3, isHeld: true, expect: [3] },
  { scheduler: 'sh', weights: [1, 1, 1], connections: 6, expect: [6] },
  { scheduler: 'mh', weights: [1, 1, 1], connections: 6, expect: [6] },
  { scheduler: 'dh', weights: [1, 1, 1], connections: 6, expect: [6] },
];

for (const { scheduler, weights, connections, isHeld, expect } of rows) {
  const kind = isHeld === true ? 'held connections' : 'connections';
  test(`${scheduler} with weights ${weights.join(', ')}: ${connections} ${kind} are ${expect.join(' + ')}`, async () => {
    const frontend = web(weights, { scheduler });
    assert.deepEqual((await apply(plane, [frontend])).refused, []);
    const open: Conversation[] = [];
    after(() => open.forEach((each) => each.reset()));
    const answers: string[] = [];
    for (let time = 0; time < connections; time += 1) {
      const conversation = new Conversation(frontend.address, 80);
      answers.push(await conversation.ask());
      if (isHeld === true) open.push(conversation);
      else conversation.reset();
    }
    const shares = Object.values(countOf(answers)).sort((a, b) => b - a);
    assert.deepEqual(shares, expect, answers.join(' '));
    const name = scheduler === 'random' ? (new Set(weights).size > 1 ? 'wrr' : 'rr') : scheduler;
    assert.ok(ipvsadm('-Sn').some((line) => line.startsWith(`-A -t ${frontend.address}:80 -s ${name}`)));
    for (const each of open) each.reset();
    await apply(plane, [], [frontend.key]);
  });
}

test('connections are counted for each frontend, those of its outside callers too', async () => {
  const frontend = web([1, 1]);
  const outside = make.make('NodePort', undefined, 30080, frontend.internal, { external: make.forward('pod1') });
  await apply(plane, [frontend, outside]);
  await called('client', frontend.address, 3);
  await called('client', '10.244.0.1', 2, 30080);
  await eventually(async () => {
    const counters = await plane.counters();
    assert.deepEqual(
      [frontend, outside].map(({ key }) => counters.get(key)?.connections),
      [3, 2],
    );
  }, 5);
  await apply(plane, [], [frontend.key, outside.key]);
});

test('a scheduler changes in place, and connections go on', async () => {
  const frontend = web([1, 1, 1]);
  await apply(plane, [frontend]);
  const held = new Conversation(frontend.address, 80);
  const server = await held.ask();
  await apply(plane, [{ ...frontend, scheduler: 'sh' }]);
  assert.equal(await held.ask(), server);
  assert.equal(Object.keys(countOf(await called('client', frontend.address, 6))).length, 1);
  held.reset();
  await apply(plane, [], [frontend.key]);
});

for (const scheduler of ['sh', 'mh'] as const) {
  test(`under ${scheduler} a client whose backend goes gets another at once, while others are undisturbed`, async () => {
    const frontend = web([1, 1, 1], { scheduler });
    await apply(plane, [frontend]);
    const [first = ''] = await called('client', frontend.address, 1);
    const left = frontend.internal.backends.filter(({ pod }) => pod !== `test/${first.split(' ')[0]}`);
    const target = { verdict: 'forward', backends: left } as const;
    await apply(plane, [{ ...frontend, internal: target, external: target }]);
    const answers = await called('client', frontend.address, 6);
    assert.equal(Object.keys(countOf(answers)).length, 1, answers.join(', '));
    assert.ok(answers.every((answer) => answer.startsWith('pod') && answer !== first));
    await apply(plane, [], [frontend.key]);
  });
}

test('a scheduler that the kernel lacks refuses its frontend alone, and its end lets it back', async () => {
  const version = execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim();
  execFileSync('rm', ['-f', `/usr/lib/uml/modules/${version}/kernel/net/netfilter/ipvs/ip_vs_fo.ko`]);
  const odd = web([1], { scheduler: 'fo' as Scheduler });
  const even = web([1, 1]);
  const { refused } = await apply(plane, [odd, even]);
  assert.deepEqual(
    refused.map(({ key }) => key),
    [odd.key],
  );
  assert.match(refused[0]?.reason ?? '', /scheduler fo: ENOENT/);
  assert.deepEqual(countOf(await called('client', even.address, 4)), { pod1: 2, pod2: 2 });
  assert.deepEqual(await called('client', odd.address, 1), ['timeout']);
  assert.deepEqual((await apply(plane, [{ ...odd, scheduler: 'rr' }])).refused, []);
  assert.match((await called('client', odd.address, 1))[0] ?? '', /^pod1/);
  await apply(plane, [], [odd.key, even.key]);
});

test('affinity is persistence: a client stays, is forgotten after the time-out, and others are drawn anew', async () => {
  const frontend = web([1, 1, 1], { protocol: 'UDP', affinity: { timeoutSeconds: 2 } });
  await apply(plane, [frontend]);
  assert.ok(ipvsadm('-Sn').includes(`-A -u ${frontend.address}:80 -s rr -p 2`));
  const ask = async () => (await hosts.host('client').call(frontend.address, 80, true)).split(' ')[0];
  const first = await ask();
  for (let time = 0; time < 5; time += 1) assert.equal(await ask(), first);
  await eventually(() => assert.ok(!persisted().some((line) => line.includes(frontend.address))), 90);
  assert.notEqual(await ask(), first);
  await apply(plane, [], [frontend.key]);
});

/** The memories of persistence, which ipvsadm lists as connections from port 0. */
function persisted(): string[] {
  const text = execFileSync('ipvsadm', ['-L', '-n', '-c'], { encoding: 'utf8' });
  return text.split('\n').filter((line) => line.includes(':0 '));
}

for (const affinity of [undefined, { timeoutSeconds: 60 }]) {
  const kind = affinity === undefined ? 'without' : 'with';
  test(`a range of ports keeps the port that was called, on cluster and external addresses, ${kind} affinity`, async () => {
    for (const pod of ['pod1', 'pod2', 'pod3'] as const) {
      if (affinity === undefined) await hosts.host(pod).serve(ipv4.pods[pod], 9001);
    }
    const cluster = { ...web([1, 1, 1], { affinity }), port: 9000, lastPort: 9010 };
    const range = { ...cluster, key: `${cluster.address}:9000/TCP` };
    const external = make.make('ExternalIP', ipv4.external, 9000, cluster.internal, { lastPort: 9010, affinity });
    assert.deepEqual((await apply(plane, [range, external])).refused, []);
    for (const address of [cluster.address, ipv4.external]) {
      const servers = countOf(await called('client', address, 6, 9001));
      assert.deepEqual(Object.values(servers), affinity === undefined ? [2, 2, 2] : [6]);
      assert.deepEqual(await called('client', address, 1, 9002), ['refused']);
    }
    assert.deepEqual(await called('client', cluster.address, 1, 9011), ['refused']);
    assert.deepEqual(
      (await plane.dump()).filter(({ lastPort }) => lastPort === 9010).sort((a, b) => (a.key < b.key ? -1 : 1)),
      [range, external],
    );
    await apply(plane, [], [range.key, external.key]);
  });
}
