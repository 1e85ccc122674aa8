import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { waitFor } from '../../../test/support/wait.ts';
import { openPinnedMap } from '../../linux/bpf/installation.ts';
import {
  createNetworkNamespace,
  inNetworkNamespace,
  isolateNetwork,
  removeNetworkNamespace,
} from '../../linux/namespaces.ts';
import { inEachNetworkNamespace } from '../../linux/network-namespaces.ts';
import { openRoute } from '../../linux/route.ts';
import { findSockets, openSockDiag } from '../../linux/sock-diag.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { Frontends, changesBetween } from '../contract/frontends.ts';
import { targetPort } from '../contract/server.ts';
import { HostNetwork } from '../contract/host-network.ts';
import { type Host, startHost } from '../contract/hosts.ts';
import { ipv4, network } from '../contract/worlds.ts';
import type { Dataplane } from '../dataplane.ts';
import { addressKey } from './layout.ts';
import { socketPlace } from './place.ts';
import { enterEbpfPlace } from './testing.ts';

isolateNetwork();

const place = enterEbpfPlace();
const make = new Frontends(ipv4);
const [service] = ipv4.services;
/** An address of the node. */
const gateway = '10.244.0.1';
let plane: Dataplane;
let hosts: HostNetwork;
let client: Host;

before(async () => {
  const gateways = [gateway, 'fd00:244::1'] as const;
  hosts = new HostNetwork([
    { name: 'pod1', addresses: [ipv4.pods.pod1], gateways, isBridged: true },
    { name: 'pod2', addresses: [ipv4.pods.pod2], gateways, isBridged: true },
    { name: 'pod3', addresses: [ipv4.pods.pod3], gateways, isBridged: true },
    { name: 'client', addresses: [ipv4.sources.client], gateways, isBridged: true },
  ]);
  for (const [name, address] of Object.entries(ipv4.pods)) await hosts.host(name).serve(address, targetPort);
  client = hosts.host('client');
  plane = place.open(network);
  await plane.adopt([]);
});

afterEach(async () => {
  await change(await plane.dump(), []);
});

after(async () => {
  await place[Symbol.asyncDispose]();
  await hosts[Symbol.asyncDispose]();
});

async function change(old: readonly Frontend[], next: readonly Frontend[]): Promise<void> {
  assert.deepEqual((await plane.apply(changesBetween(old, next))).refused, []);
}

type PodName = 'pod1' | 'pod2' | 'pod3';

function tcp(...pods: PodName[]): Frontend[] {
  return [make.clusterIp(make.forward(...pods))];
}

function udp(...pods: PodName[]): Frontend[] {
  return [make.clusterIp(make.forward(...pods), { protocol: 'UDP' })];
}

/** Masqueraded by nftables: who answers with the client's own address was chosen by the programs. */
function nodePort(...pods: PodName[]): Frontend[] {
  return [make.make('NodePort', undefined, 30080, make.forward(...pods))];
}

/** Calls the node port until `meanwhile` is over, some at a time; every answer must be one of the Pods', chosen in the call. */
async function callMeanwhile(meanwhile: () => Promise<void>): Promise<number> {
  const over = new AbortController();
  const answers = new Map<string, number>();
  const caller = async () => {
    while (!over.signal.aborted) {
      const answer = await client.call(gateway, 30080, false);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  };
  const callers = [caller(), caller(), caller(), caller()];
  await meanwhile().finally(() => over.abort());
  await Promise.all(callers);
  for (const answer of answers.keys()) assert.match(answer, new RegExp(`^pod[123] ${ipv4.sources.client}$`));
  return [...answers.values()].reduce((sum, count) => sum + count, 0);
}

test('no call sees half of a change: backends are replaced thousands of times under load', async (context) => {
  const [first, second] = [nodePort('pod1', 'pod2'), nodePort('pod3')];
  await change([], first);
  let changes = 0;
  const calls = await callMeanwhile(async () => {
    const endMs = performance.now() + 4000;
    while (performance.now() < endMs) {
      await change(first, second);
      await change(second, first);
      changes += 2;
      await new Promise(setImmediate);
    }
  });
  context.diagnostic(`${calls} calls, ${changes} changes`);
  assert.ok(calls > 500 && changes > 500, `${calls} calls, ${changes} changes`);
});

test('no call is lost while the plane is closed, opened and adopted, and its maps are replaced', async () => {
  const many = Array.from({ length: 2000 }, (_, at) =>
    make.make('ClusterIP', `10.96.${100 + (at >> 8)}.${at & 255}`, 80, make.forward('pod1', 'pod2')),
  );
  const web = nodePort('pod1', 'pod2', 'pod3');
  await change([], web);
  const calls = await callMeanwhile(async () => {
    for (const desired of [web, [...web, ...many], web, web, web]) {
      await plane.close();
      await new Promise((resolve) => setTimeout(resolve, 100));
      plane = place.open(network);
      await plane.adopt(desired);
    }
  });
  assert.ok(calls > 50, `${calls}`);
});

/** How many UDP sockets are connected to a Pod, in all network namespaces. */
function socketsTo(pod: PodName): number {
  let count = 0;
  inEachNetworkNamespace(() => {
    using diag = openSockDiag();
    count += findSockets(diag, 'UDP', [{ address: ipv4.pods[pod], port: targetPort }]).length;
  });
  return count;
}

test('a connected UDP socket in a Pod is ended at once when its backend goes, and the next gets another', async () => {
  await change([], udp('pod1'));
  assert.match(await client.hold(service, 80, true), /^pod1 /);
  await change(udp('pod1'), udp('pod1', 'pod2'));
  assert.match(await client.again(), /^pod1 /, 'another one came');
  assert.equal(socketsTo('pod1'), 1);
  await change(udp('pod1', 'pod2'), udp('pod2'));
  assert.equal(socketsTo('pod1'), 0);
  assert.match(await client.hold(service, 80, true), /^pod2 /);
  assert.equal(socketsTo('pod2'), 1);
  await change(udp('pod2'), []);
  assert.equal(socketsTo('pod2'), 0, 'the Service went');
});

test('a UDP socket that was ended connects again to a backend that is there', async () => {
  await change([], udp('pod1'));
  const socket = createSocket('udp4');
  const failed = once(socket, 'error');
  const ask = async (): Promise<string> => {
    socket.connect(80, service);
    await once(socket, 'connect');
    socket.send('?');
    const [data] = (await once(socket, 'message', { signal: AbortSignal.timeout(2000) })) as [Buffer];
    return data.toString().split(' ')[0] ?? '';
  };
  try {
    assert.equal(await ask(), 'pod1');
    await change(udp('pod1'), udp('pod2'));
    // The kernel tells whoever waits for a datagram.
    assert.match(String(await failed), /ECONNABORTED/);
    socket.disconnect();
    assert.equal(await ask(), 'pod2');
  } finally {
    socket.close();
  }
});

test('a UDP socket that called the backend by its own address is left alone', async () => {
  await change([], udp('pod1'));
  assert.match(await client.hold(ipv4.pods.pod1, targetPort, true), /^pod1 /);
  await change(udp('pod1'), udp('pod2'));
  assert.match(await client.again(), /^pod1 /);
});

test('TCP connections to a backend that went live on, or are reset after the drain time that is asked for', async () => {
  await change([], tcp('pod1'));
  assert.match(await client.hold(service, 80, false), /^pod1 /);
  await change(tcp('pod1'), tcp('pod2'));
  assert.match(await client.again(), /^pod1 /);
  const drained = (...pods: PodName[]) => tcp(...pods).map((each) => ({ ...each, resetAfterSeconds: 0 }));
  await change(tcp('pod2'), drained('pod2'));
  assert.match(await client.hold(service, 80, false), /^pod2 /);
  await change(drained('pod2'), drained('pod3'));
  await waitFor(async () => /ECONNABORTED|reset/.test(await client.again()), { what: 'the reset' });
});

test('Pods that come later are served as soon as their links are there', async () => {
  await change([], nodePort('pod1'));
  const late = '10.244.0.77';
  const namespace = join(tmpdir(), `fairlead-late-${process.pid}`);
  createNetworkNamespace(namespace);
  try {
    joinBridge(namespace, late);
    await using host = startHost({ name: 'late', namespace });
    const ask = async () => (await host.call(gateway, 30080, false)) === `pod1 ${late}`;
    await waitFor(ask, { what: 'a call with the own address', timeoutMs: 5000 });
  } finally {
    removeNetworkNamespace(namespace);
  }
});

/** A Pod's link: on the node's bridge, everything through the node. */
function joinBridge(namespace: string, address: string): void {
  using node = openRoute();
  const namespaceFd = openSync(namespace, 'r');
  const bridge = node.link('pods')?.index ?? 0;
  node.createLink({ kind: 'veth', name: 'to-late', up: true, master: bridge, peer: { name: 'eth0', namespaceFd } });
  closeSync(namespaceFd);
  node.replaceRoute({ destination: `${address}/32`, linkIndex: bridge });
  using inside = inNetworkNamespace(namespace, openRoute);
  inside.setLink('eth0', { up: true });
  const linkIndex = inside.link('eth0')?.index ?? 0;
  inside.addAddress('eth0', address);
  inside.replaceRoute({ destination: `${gateway}/32`, linkIndex });
  inside.replaceRoute({ destination: '0.0.0.0/0', linkIndex, gateway });
}

test('node ports follow the addresses of the node', async () => {
  await change([], nodePort('pod1'));
  const address = '192.0.2.77';
  const isKnown = () => {
    using addresses = openPinnedMap(socketPlace(place.options), 'node_addresses') ?? assert.fail('nothing is pinned');
    return addresses.lookup(addressKey(address)) !== undefined;
  };
  using route = openRoute();
  route.addAddress('pods', `${address}/32`);
  await waitFor(isKnown, { what: 'the new address', timeoutMs: 5000 });
  assert.equal(await client.call(address, 30080, false), `pod1 ${ipv4.sources.client}`);
  route.deleteAddress('pods', `${address}/32`);
  await waitFor(() => !isKnown(), { what: 'the end of the address', timeoutMs: 5000 });
});

test('programs that someone took away are put back, with all they know', async () => {
  await change([], nodePort('pod1'));
  const { folder } = socketPlace(place.options);
  for (const name of readdirSync(folder)) unlinkSync(join(folder, name));
  const isForwarded = async () => (await client.call(gateway, 30080, false)) === `pod1 ${gateway}`;
  await waitFor(isForwarded, { what: 'nftables to serve alone', everyMs: 1 });
  using route = openRoute();
  route.addAddress('pods', '192.0.2.78/32');
  const isBack = async () => (await client.call(gateway, 30080, false)) === `pod1 ${ipv4.sources.client}`;
  await waitFor(isBack, { what: 'the programs', timeoutMs: 5000 });
  assert.equal((await plane.dump()).length, 1);
});

test('under masqueradeAll Pods go through nftables, which hides them', async () => {
  const web = tcp('pod1');
  await plane.close();
  plane = place.open({ ...network, masqueradeAll: true });
  await plane.adopt(web);
  assert.match(await client.call(service, 80, false), /^pod1 10\.244\.0\.1$/);
  await plane.close();
  plane = place.open(network);
  await plane.adopt(web);
  assert.equal(await client.call(service, 80, false), `pod1 ${ipv4.sources.client}`);
});

test('a plane that retires takes no new calls, and keeps the way back for UDP sockets until they are closed', async () => {
  const both = [...nodePort('pod1'), ...udp('pod1')];
  await change([], both);
  const socket = createSocket('udp4');
  socket.connect(80, service);
  await once(socket, 'connect');
  const retiring = place.open(network).retire(AbortSignal.timeout(20_000));
  const masqueraded = async () => (await client.call(gateway, 30080, false)) === `pod1 ${gateway}`;
  assert.ok(await masqueraded(), 'nftables decides on new calls');
  socket.send('?');
  const [data, from] = (await once(socket, 'message', { signal: AbortSignal.timeout(2000) })) as [
    Buffer,
    { address: string },
  ];
  assert.match(data.toString(), /^pod1 /);
  assert.equal(from.address, service);
  socket.close();
  await retiring;
  assert.equal(openPinnedMap(socketPlace(place.options), 'calls'), undefined);
  await plane.close();
  plane = place.open(network);
  await plane.adopt(both);
  assert.ok(!(await masqueraded()), 'back in force');
});

test('thousands of wide ranges of ports have room', async () => {
  // 31 prefixes each.
  const wide = Array.from({ length: 2200 }, (_, at) =>
    make.make('ClusterIP', `10.97.${at >> 8}.${at & 255}`, 1, make.forward('pod1'), { lastPort: 65_534 }),
  );
  await change([], wide);
  assert.match(await client.call(wide.at(-1)?.address ?? '', targetPort, false), /^pod1 /);
  await change(wide, []);
});
