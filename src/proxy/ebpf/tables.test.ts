import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, integer, property, tuple } from 'fast-check';
import type { Frontend, FrontendKey, Target } from '../../routing/frontend.ts';
import { Frontends } from '../contract/frontends.ts';
import { ipv4, ipv6 } from '../contract/worlds.ts';
import { balance, type Balanced, type Numbers } from './balanced.ts';
import { changesOf } from './changes.ts';
import { frontendsInForce } from './in-force.ts';
import {
  addressKey,
  endpointKey,
  frontendValue,
  rangeKeys,
  readBackendValue,
  backendValue,
  readEndpoint,
  readFirstBackends,
  readFrontendValue,
  readRangeKey,
} from './layout.ts';

const make = new Frontends(ipv4);
const two = make.forward('pod1', 'pod2');
/** Frontends with six and five buckets: two and one more than their entries hold. */
const [six, five] = [6, 5].map((count): Target => ({
  verdict: 'forward',
  backends: Array.from({ length: count }, (_, at) => ({ ...make.backend('pod1'), port: 8000 + at })),
})) as [Target, Target];
const zero = Buffer.alloc(16);

function numbers(): Numbers {
  let [generation, number, counter] = [0, 0, 0];
  return {
    generation: () => (generation += 1),
    number: () => (number += 1),
    counter: () => (counter += 1),
  };
}

function believed(frontend: Frontend): { balanced: Balanced; current: Map<FrontendKey, Balanced>; next: Numbers } {
  const next = numbers();
  const balanced = balance(frontend, undefined, next) ?? assert.fail('not for sockets');
  return { balanced, current: new Map([[frontend.key, balanced]]), next };
}

test('addresses, endpoints, backends and frontends are read as they were written', () => {
  assert.equal(addressKey('10.0.0.1').toString('hex'), '00000000000000000000ffff0a000001');
  for (const address of ['10.96.0.1', 'fd00::1', undefined]) {
    const family = address?.includes(':') === true ? 'IPv6' : 'IPv4';
    const endpoint = { family, address, port: 53, protocol: 'UDP' } as const;
    assert.deepEqual(readEndpoint(endpointKey(endpoint)), endpoint);
  }
  for (const name of ['10.244.0.1:65535', '[fd00::1]:1']) assert.equal(readBackendValue(backendValue(name, 3)), name);
  const numbers = {
    generation: 1,
    number: 2,
    counter: 3,
    buckets: 9,
    affinitySeconds: 4,
    firstPort: 5,
    lastPort: 65_535,
  };
  const entry = { ...numbers, isByClient: true, isInTurn: false, hasResets: true };
  const names = ['10.244.0.1:65535', '[fd00::1]:1', '10.244.0.2:1', '10.244.0.3:1'];
  const value = frontendValue(
    entry,
    names.map((name) => backendValue(name, 3)),
  );
  assert.deepEqual(readFrontendValue(value), entry);
  assert.deepEqual(readFirstBackends(value), names);
});

test('a node port is another key than the address 0.0.0.0', () => {
  const port = { family: 'IPv4', port: 30_080, protocol: 'TCP' } as const;
  const keys = [undefined, '0.0.0.0'].map((address) => endpointKey({ ...port, address }));
  assert.notDeepEqual(keys[0], keys[1]);
});

test('the prefixes of a range cover exactly its ports', () => {
  const first = { family: 'IPv4', address: '10.96.0.1', protocol: 'TCP' } as const;
  const ports = tuple(integer({ min: 1, max: 65_535 }), integer({ min: 1, max: 65_535 }));
  check(
    property(ports, (pair) => {
      const [from = 0, to = 0] = [...pair].sort((a, b) => a - b);
      let next = from;
      for (const key of rangeKeys({ ...first, port: from }, to)) {
        assert.equal(readRangeKey(key).port, next);
        next += 2 ** (160 - key.readUInt32LE());
      }
      assert.equal(next, to + 1);
    }),
  );
});

test('what nftables has to decide on is not for the socket programs', () => {
  const others: Partial<Frontend>[] = [
    { protocol: 'SCTP' },
    { sourceRanges: ['192.0.2.0/24'] },
    { internal: { verdict: 'reject', backends: [] } },
    { internal: { verdict: 'drop', backends: [] } },
    { internal: { verdict: 'forward', backends: [make.backend('pod1', 0)] } },
  ];
  for (const more of others)
    assert.equal(balance({ ...make.clusterIp(two), ...more }, undefined, numbers()), undefined);
});

test('new backends come under a generation of their own, and the old ones go', () => {
  const { balanced, current, next } = believed(make.clusterIp(six));
  const changed = make.clusterIp(five);
  const changes = changesOf(current, [changed], [], next, zero);
  const after = changes.next.get(changed.key) ?? assert.fail();
  assert.notEqual(after.entry.generation, balanced.entry.generation);
  assert.equal(after.entry.number, balanced.entry.number);
  assert.equal(changes.write.frontends.length, 1);
  const generations = (keys: readonly Buffer[]) => keys.map((key) => key.readUInt32LE());
  assert.deepEqual(generations(changes.write.backends.map(([key]) => key)), [2]);
  assert.deepEqual(generations(changes.delete.backends), [1, 1]);
  assert.deepEqual([changes.write.counters, changes.delete.counters, changes.delete.frontends], [[], [], []]);
});

test('a frontend of few backends is one entry, and so is its change', () => {
  const { current, next } = believed(make.clusterIp(two));
  const changed = make.clusterIp(make.forward('pod2', 'pod3'));
  const { write, delete: gone } = changesOf(current, [changed], [], next, zero);
  assert.deepEqual([write.frontends.length, write.backends, gone.backends, gone.frontends], [1, [], [], []]);
});

test('a change of affinity alone is one entry where clients are remembered already', () => {
  const udp = (timeoutSeconds: number) => make.clusterIp(two, { protocol: 'UDP', affinity: { timeoutSeconds } });
  const { current, next } = believed(udp(60));
  const { write, delete: gone } = changesOf(current, [udp(90)], [], next, zero);
  assert.deepEqual([write.frontends.length, write.backends.length, gone.backends.length], [1, 0, 0]);
});

test('what is the same changes nothing', () => {
  const { current, next } = believed(make.clusterIp(two));
  const changes = changesOf(current, [make.clusterIp(two)], ['10.96.0.99:80/TCP'], next, zero);
  assert.equal(changes.next.size, 0);
});

test('a range that becomes shorter loses the prefixes that it no longer has', () => {
  const range = (lastPort: number) => make.clusterIp(two, { lastPort });
  const { current, next } = believed(range(95));
  const { delete: gone, write } = changesOf(current, [range(87)], [], next, zero);
  assert.deepEqual(
    gone.ranges.map((key) => [readRangeKey(key).port, key.readUInt32LE()]),
    [[80, 156]],
  );
  assert.deepEqual(
    write.ranges.map(([key]) => [readRangeKey(key).port, key.readUInt32LE()]),
    [[80, 157]],
  );
});

test('a frontend that is no longer for the socket programs leaves the maps', () => {
  const { current, next } = believed(make.clusterIp(six));
  const refused = make.clusterIp({ verdict: 'reject', backends: [] });
  const { write, delete: gone } = changesOf(current, [refused], [], next, zero);
  assert.deepEqual(write.frontends, []);
  assert.deepEqual([gone.frontends.length, gone.backends.length, gone.counters.length], [1, 2, 0]);
});

test('what is in force is what nftables has, but where the socket programs do otherwise', () => {
  const web = make.clusterIp(two, { affinity: { timeoutSeconds: 60 } });
  const { balanced } = believed(web);
  const isLocal = (address: string) => address === ipv4.pods.pod1;
  assert.deepEqual(frontendsInForce([web], new Map(), isLocal), [web], 'what they do not know goes through nftables');
  assert.deepEqual(frontendsInForce([web], new Map([[web.key, balanced]]), isLocal), [web]);
  const [other] = frontendsInForce([make.clusterIp(two)], new Map([[web.key, balanced]]), isLocal);
  assert.deepEqual(other?.affinity, { timeoutSeconds: 60 });
  const [alone] = frontendsInForce([], new Map([[web.key, balanced]]), isLocal);
  assert.deepEqual(
    alone?.internal.backends.map(({ address, local }) => [address, local]),
    [
      [ipv4.pods.pod1, true],
      [ipv4.pods.pod2, false],
    ],
  );
});

test('weights are told apart by their proportion', () => {
  const weighted = (first: number, second: number) =>
    new Frontends(ipv6).clusterIp({
      verdict: 'forward',
      backends: [new Frontends(ipv6).backend('pod1', first), new Frontends(ipv6).backend('pod2', second)],
    });
  const { balanced } = believed(weighted(1, 2));
  const read = (asked: Frontend) => frontendsInForce([asked], new Map([[asked.key, balanced]]), () => true)[0];
  assert.deepEqual(read(weighted(2, 4)), weighted(2, 4));
  assert.deepEqual(
    read(weighted(1, 3))?.internal.backends.map(({ weight }) => weight),
    [1, 2],
  );
});
