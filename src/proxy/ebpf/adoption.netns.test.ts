import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, beforeEach, test } from 'node:test';
import { closeMaps, openPinnedMaps } from '../../linux/bpf/installation.ts';
import { createMap } from '../../linux/bpf/map.ts';
import { pin } from '../../linux/bpf/pins.ts';
import { listMounts } from '../../linux/mounts.ts';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { silentLogger } from '../../observe/log.ts';
import type { Frontend, Target } from '../../routing/frontend.ts';
import { everyScheduler, Frontends } from '../contract/frontends.ts';
import { declareModel } from '../contract/model.ts';
import { ipv4, ipv6, network } from '../contract/worlds.ts';
import type { Dataplane } from '../dataplane.ts';
import { differencesBetween } from '../differences.ts';
import { createFakePlane } from '../fake.ts';
import {
  backendValue,
  bucketKey,
  endpointKey,
  frontendValue,
  numberKey,
  readEndpoint,
  readFirstBackends,
  readFrontendValue,
} from './layout.ts';
import { retireOthers } from '../open-plane.ts';
import { socketPlace } from './place.ts';
import { createEbpfPlane } from './plane.ts';
import { readBalanced } from './read.ts';
import { type SocketMaps, socketMaps } from './tables.ts';
import { enterEbpfPlace } from './testing.ts';

isolateNetwork();

const make = new Frontends(ipv4);
const all = make.forward('pod1', 'pod2', 'pod3');
/** Six buckets: more than the frontend's entry holds. */
const weighted: Target = {
  verdict: 'forward',
  backends: [make.backend('pod1', 3), make.backend('pod2'), make.backend('pod3', 2)],
};
function portOf({ verdict, backends }: Target, port: number): Target {
  return { verdict, backends: backends.map((backend) => ({ ...backend, port })) };
}

/** One frontend of every sort. */
const everySort: readonly Frontend[] = [
  make.clusterIp(all),
  make.clusterIp(make.forward('pod1', 'pod2'), { protocol: 'UDP', affinity: { timeoutSeconds: 10_800 } }),
  make.make('ClusterIP', ipv4.services[1], 80, weighted),
  make.make('ClusterIP', ipv4.services[1], 443, { verdict: 'reject', backends: [] }),
  make.make('ClusterIP', ipv4.services[2], 443, { verdict: 'drop', backends: [] }),
  make.make('ClusterIP', ipv4.services[2], 80, all, { scheduler: 'mh' }),
  make.make('ClusterIP', ipv4.services[2], 8000, portOf(all, 8000), { lastPort: 8999 }),
  make.make('NodePort', undefined, 30080, all, { external: make.forward('pod1'), masquerade: 'never' }),
  make.make('LoadBalancer', ipv4.external, 80, make.forward('pod2'), { sourceRanges: ['192.0.2.0/24'] }),
  make.make('ExternalIP', '203.0.113.81', 80, make.forward('pod3'), { service: 'test/other', portName: '' }),
  new Frontends(ipv6).clusterIp(new Frontends(ipv6).forward('pod1')),
];

const place = enterEbpfPlace();
const opened: Dataplane[] = [];

function open(): Dataplane {
  const plane = place.open(network);
  opened.push(plane);
  return plane;
}

/** A plane that has taken over what is there. */
async function adopted(desired: readonly Frontend[]): Promise<Dataplane> {
  const plane = open();
  assert.deepEqual((await plane.adopt(desired)).refused, []);
  return plane;
}

/** What is pinned, as another process sees it. */
function withMaps<T>(work: (maps: SocketMaps) => T): T {
  const maps = openPinnedMaps(socketPlace(place.options)) ?? assert.fail('nothing is pinned');
  try {
    return work(socketMaps(maps));
  } finally {
    closeMaps(maps);
  }
}

/** Everything in the maps of frontends, as text; counters are always as many. */
function listing(): string[] {
  return withMaps(({ frontends, ranges, backends }) =>
    [frontends, ranges, backends].flatMap((map) =>
      map.entries().map(([key, value]) => `${map.definition.name} ${key.toString('hex')} ${value.toString('hex')}`),
    ),
  ).sort();
}

function sorted(frontends: readonly Frontend[]): Frontend[] {
  return [...frontends].sort((a, b) => (a.key < b.key ? -1 : 1));
}

const [webKey, weightedKey] = ipv4.services.map((address) =>
  endpointKey({ family: 'IPv4', address, port: 80, protocol: 'TCP' }),
) as [Buffer, Buffer];

/** The generation of the weighted frontend. */
function weightedGeneration(): number {
  return withMaps(({ frontends }) => readFrontendValue(frontends.lookup(weightedKey) ?? assert.fail()).generation);
}

beforeEach(async (context) => {
  if (context.name.includes('random changes')) await adopted([]);
});

afterEach(async () => {
  for (const plane of opened.splice(0)) await plane.close();
  await place.open(network).remove();
});

after(() => place[Symbol.asyncDispose]());

for (const world of [ipv4, ipv6]) {
  const options = { world, seed: 20_261_124, steps: 200, firstPort: 80, hasRoutedKinds: true };
  declareModel(`ebpf ${world.family}`, () => opened[0] ?? assert.fail('not open'), options);
}

test('a new process takes over what is in force without changing anything', async () => {
  const first = await adopted(everySort);
  await first.close();
  const before = listing();
  assert.ok(before.length > 20);
  const second = open();
  assert.equal((await second.adopt(everySort)).operations, 0);
  assert.deepEqual(listing(), before);
  assert.deepEqual(sorted(await second.dump()), sorted(everySort));
});

test('a process that only looks sees what is in force and what was counted', async () => {
  const writer = await adopted(everySort);
  const { counter } = withMaps(({ frontends }) => readFrontendValue(frontends.lookup(webKey) ?? assert.fail('no web')));
  withMaps(({ counters }) => {
    const value = Buffer.alloc(counters.valueBytes);
    value.writeBigUInt64LE(7n);
    counters.update([[numberKey(counter), value]]);
  });
  const onlooker = open();
  assert.deepEqual(differencesBetween(everySort, await onlooker.dump()), []);
  assert.equal((await onlooker.counters()).get('10.96.0.10:80/TCP')?.connections, 7);
  assert.deepEqual(await onlooker.counters(), await writer.counters());
});

test('a frontend that comes after another begins to count at zero', async () => {
  const plane = await adopted(everySort);
  const [web] = everySort;
  assert.ok(web);
  const counterOf = (key: Buffer) =>
    withMaps(({ frontends }) => readFrontendValue(frontends.lookup(key) ?? assert.fail()).counter);
  const counter = counterOf(webKey);
  withMaps(({ counters }) => counters.update([[numberKey(counter), Buffer.alloc(counters.valueBytes, 1)]]));
  await plane.apply({ changed: [], removed: [web.key], triggeredAtMs: undefined });
  const late = make.make('ClusterIP', ipv4.services[0], 81, all);
  await plane.apply({ changed: [late], removed: [], triggeredAtMs: undefined });
  const lateKey = endpointKey({ family: 'IPv4', address: ipv4.services[0], port: 81, protocol: 'TCP' });
  assert.equal(counterOf(lateKey), counter, 'in its place');
  assert.equal((await plane.counters()).get(late.key)?.connections, 0);
});

test('a process that only looks sees no difference under any scheduler', async () => {
  const wanted = everyScheduler(make, ipv4.services[1]);
  await adopted(wanted);
  assert.deepEqual(differencesBetween(wanted, await open().dump()), []);
});

test('the maps have what callers inside get, and only that', async () => {
  await adopted(everySort);
  const keys = withMaps(({ frontends }) => frontends.entries().map(([key]) => readEndpoint(key)));
  assert.deepEqual(keys.map(({ address, port, protocol }) => `${address ?? '*'} ${port} ${protocol}`).sort(), [
    '* 30080 TCP',
    '10.96.0.10 80 TCP',
    '10.96.0.10 80 UDP',
    '10.96.0.11 80 TCP',
    '10.96.0.12 80 TCP',
    '203.0.113.81 80 TCP',
    'fd00:96::10 80 TCP',
  ]);
  const nodePort = endpointKey({ family: 'IPv4', address: undefined, port: 30080, protocol: 'TCP' });
  const value = withMaps(({ frontends }) => frontends.lookup(nodePort) ?? assert.fail('no node port'));
  assert.equal(readFrontendValue(value).buckets, 3, 'the internal target, not the one of outside callers');
});

test('a new process changes only what differs', async () => {
  await (await adopted(everySort)).close();
  const before = listing();
  const desired = [make.clusterIp(make.forward('pod1', 'pod2')), ...everySort.slice(1, -2)];
  const plane = await adopted(desired);
  assert.deepEqual(sorted(await plane.dump()), sorted(desired));
  const kept = new Set(before).intersection(new Set(listing()));
  assert.equal(before.length - kept.size, 3, 'the entry of the first frontend, and those of the last two');
});

test('entries that nobody asked for go, missing ones come back', async () => {
  await (await adopted(everySort)).close();
  const before = listing().length;
  const generation = weightedGeneration();
  withMaps(({ frontends, backends }) => {
    const [, value] = frontends.entries()[0] ?? assert.fail();
    frontends.update([[endpointKey({ family: 'IPv4', address: '10.96.7.7', port: 1, protocol: 'TCP' }), value]]);
    backends.update([[bucketKey(99_999, 5), backendValue('10.0.0.1:80', 0)]]);
    backends.update([[bucketKey(generation, 0), backendValue('10.0.0.1:80', 0)]]);
    backends.delete([bucketKey(generation, 5)]);
  });
  const plane = await adopted(everySort);
  assert.equal(listing().length, before);
  assert.deepEqual(sorted(await plane.dump()), sorted(everySort));
});

test('what the socket programs do otherwise than nftables shows', async () => {
  const plane = await adopted(everySort);
  const generation = weightedGeneration();
  withMaps(({ backends, frontends }) => {
    backends.update([[bucketKey(generation, 5), backendValue('10.244.0.98:8080', 0)]]);
    const web = frontends.lookup(webKey) ?? assert.fail();
    const others = ['10.244.0.11:8080', '10.244.0.99:8080', '10.244.1.13:8080'];
    frontends.update([
      [
        webKey,
        frontendValue(
          readFrontendValue(web),
          others.map((name) => backendValue(name, 0)),
        ),
      ],
    ]);
    const udp = endpointKey({ family: 'IPv4', address: ipv4.services[0], port: 80, protocol: 'UDP' });
    const value = frontends.lookup(udp) ?? assert.fail();
    const slots = readFirstBackends(value).map((name, slot) => backendValue(name, slot));
    const shorter = frontendValue({ ...readFrontendValue(value), affinitySeconds: 60 }, slots);
    const reject = endpointKey({ family: 'IPv4', address: ipv4.services[1], port: 443, protocol: 'TCP' });
    frontends.update([
      [udp, shorter],
      [reject, frontends.lookup(webKey) ?? assert.fail()],
    ]);
  });
  for (const reader of [plane, open()]) {
    const found = new Map((await reader.dump()).map((frontend) => [frontend.key, frontend]));
    const web = found.get('10.96.0.10:80/TCP');
    assert.deepEqual(
      web?.internal.backends.map(({ address, local }) => `${address} ${local}`),
      ['10.244.0.11 true', '10.244.0.99 true', '10.244.1.13 false'],
    );
    assert.equal(web.external.backends.length, 3);
    const more = found.get('10.96.0.11:80/TCP')?.internal.backends.map(({ address }) => address);
    assert.ok(more?.includes('10.244.0.98'), 'a backend that is not in the entry');
    assert.deepEqual(found.get('10.96.0.10:80/UDP')?.affinity, { timeoutSeconds: 60 });
    assert.equal(found.get('10.96.0.11:443/TCP')?.internal.verdict, 'forward');
  }
});

test('maps of another version are replaced as a whole', async () => {
  const place1 = socketPlace(place.options);
  await (await adopted(everySort)).close();
  const other = { name: 'backends', type: 1, keySize: 8, valueSize: 64, maxEntries: 16, flags: 1 };
  using map = createMap(other, 1);
  pin(map.fd, join(place1.folder, 'backends'));
  pin(map.fd, join(place1.folder, 'of_old'));
  const plane = await adopted(everySort);
  assert.deepEqual(sorted(await plane.dump()), sorted(everySort));
  assert.ok(!existsSync(join(place1.folder, 'of_old')));
});

test('maps grow with what is in them, and lose nothing', async () => {
  const web = make.clusterIp(all);
  const plane = await adopted([web]);
  const small = withMaps(({ backends }) => backends.definition.maxEntries);
  const many = Array.from({ length: 3000 }, (_, at) =>
    make.make('ClusterIP', `10.96.${100 + (at >> 8)}.${at & 255}`, 80, weighted),
  );
  await plane.apply({ changed: many, removed: [], triggeredAtMs: undefined });
  const large = withMaps(({ backends }) => backends.definition.maxEntries);
  assert.deepEqual([small, large], [4096, 16_384]);
  assert.deepEqual(sorted(await plane.dump()), sorted([web, ...many]));
  await plane.close();
  const before = listing();
  await adopted([web, ...many]);
  assert.deepEqual(listing(), before);
});

test('the nftables rules under the plane are not those of another plane', async () => {
  const plane = await adopted(everySort);
  const options = { ...place.options, network, logger: silentLogger };
  assert.deepEqual(await retireOthers('ebpf', options, AbortSignal.abort()), []);
  assert.deepEqual(sorted(await plane.dump()), sorted(everySort));
});

test('nothing is left behind', async () => {
  const { folder } = socketPlace(place.options);
  await (await adopted(everySort)).close();
  assert.ok(existsSync(join(folder, 'link-connect4')));
  await open().remove();
  assert.ok(!existsSync(folder));
  assert.ok(!listMounts().some(({ point }) => folder.startsWith(point) && point.includes('fairlead-ebpf')));
});

test('10,000 Services of two endpoints are there in a moment', async (context) => {
  const two = make.forward('pod1', 'pod2');
  const many = Array.from({ length: 10_000 }, (_, at) =>
    make.make('ClusterIP', `10.96.${100 + (at >> 8)}.${at & 255}`, 80, two),
  );
  const startMs = performance.now();
  await adopted(many);
  context.diagnostic(`written in ${Math.round(performance.now() - startMs)} ms`);
  const againMs = performance.now();
  assert.equal((await open().adopt(many)).operations, 0);
  context.diagnostic(`taken over in ${Math.round(performance.now() - againMs)} ms`);
  assert.equal(
    withMaps(({ frontends }) => frontends.entries().length),
    10_000,
  );
});

test('what cannot be written into the maps goes through nftables alone, and keeps nothing else out', async () => {
  const nftables = createFakePlane(network, []);
  const plane = createEbpfPlane({ ...place.options, network, nftables });
  opened.push(plane);
  const [web] = everySort;
  const other = make.make('ClusterIP', ipv4.services[1], 80, all);
  const odd = make.make('ClusterIP', ipv4.services[2], 80, all, { affinity: { timeoutSeconds: 2 ** 40 } });
  assert.ok(web);
  const adopted = await plane.adopt([web, odd]);
  const applied = await plane.apply({ changed: [odd, other], removed: [], triggeredAtMs: undefined });
  assert.deepEqual([...adopted.refused, ...applied.refused], []);
  const inMaps = withMaps((maps) => [...readBalanced(maps).keys()]);
  assert.deepEqual(inMaps.sort(), [web.key, other.key].sort());
});
