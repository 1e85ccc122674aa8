import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frontend } from '../routing/frontend.ts';
import { Frontends } from './contract/frontends.ts';
import { ipv4 } from './contract/worlds.ts';
import { aspectText, differenceOf, differencesBetween } from './differences.ts';

const make = new Frontends(ipv4);
const all = make.forward('pod1', 'pod2', 'pod3');
const web = make.clusterIp(all);
const weighted = (...weights: readonly [number, number]) =>
  make.clusterIp({
    verdict: 'forward',
    backends: [make.backend('pod1', weights[0]), make.backend('pod2', weights[1])],
  });
const local = make.make('NodePort', undefined, 30080, all, { external: make.forward('pod1'), masquerade: 'never' });
const ranged = (...sourceRanges: string[]) => make.make('LoadBalancer', ipv4.external, 80, all, { sourceRanges });

const rows: readonly [string, Frontend, Frontend, readonly string[]][] = [
  ['the same', web, { ...web }, []],
  [
    'a backend that is missing',
    web,
    make.clusterIp(make.forward('pod1', 'pod2')),
    ['backends: not in force 10.244.1.13:8080'],
  ],
  [
    'one that is left over',
    make.clusterIp(make.forward('pod1')),
    make.clusterIp(make.forward('pod1', 'pod2')),
    ['backends: still in force 10.244.0.12:8080'],
  ],
  ['weights in the same proportion', weighted(2, 6), weighted(1, 3), []],
  ['weights rounded to buckets', weighted(1, 999), weighted(1, 128), []],
  [
    'other weights',
    weighted(1, 3),
    weighted(1, 1),
    [
      'weights: not in force 10.244.0.11:8080 25 %, 10.244.0.12:8080 75 %; still in force 10.244.0.11:8080 50 %, 10.244.0.12:8080 50 %',
    ],
  ],
  ['shares of hashed clients', { ...weighted(1, 1), scheduler: 'mh' }, weighted(42, 58), []],
  ['turns, which do not look at weights', { ...weighted(1, 3), scheduler: 'rr' }, weighted(1, 1), []],
  [
    'turns that are not even',
    { ...weighted(1, 1), scheduler: 'rr' },
    weighted(1, 3),
    [
      'weights: not in force 10.244.0.11:8080 50 %, 10.244.0.12:8080 50 %; still in force 10.244.0.11:8080 25 %, 10.244.0.12:8080 75 %',
    ],
  ],
  ['a weight of 0 that the kernel does not hold', weighted(1, 0), make.clusterIp(make.forward('pod1')), []],
  [
    'another verdict',
    make.clusterIp({ verdict: 'reject', backends: [] }),
    make.clusterIp({ verdict: 'drop', backends: [] }),
    ['verdict: not in force reject; still in force drop'],
  ],
  [
    'all its backends taken away',
    make.clusterIp(make.forward('pod1')),
    make.clusterIp({ verdict: 'forward', backends: [] }),
    ['verdict: not in force forward; still in force forward to nobody', 'backends: not in force 10.244.0.11:8080'],
  ],
  [
    'outside callers alone',
    local,
    { ...local, external: make.forward('pod2') },
    ['backends for outside: not in force 10.244.0.11:8080; still in force 10.244.0.12:8080'],
  ],
  ['affinity', { ...web, affinity: { timeoutSeconds: 60 } }, web, ['affinity: not in force 60 s; still in force none']],
  [
    'masquerading',
    local,
    { ...local, masquerade: 'always' },
    ['masquerade: not in force never; still in force always'],
  ],
  ['source ranges inside others', ranged('192.0.2.0/24', '192.0.2.8/32', 'fd00::/8'), ranged('192.0.2.0/24'), []],
  [
    'other source ranges',
    ranged('192.0.2.0/24'),
    ranged('192.0.2.0/25'),
    ['source ranges: not in force 192.0.2.0/24; still in force 192.0.2.0/25'],
  ],
  ['a drain time, which is not in the kernel', { ...web, resetAfterSeconds: 30 }, web, []],
  ['schedulers that a plane carries out alike, rr', { ...web, scheduler: 'rr' }, { ...web, scheduler: 'wrr' }, []],
  ['schedulers that a plane carries out alike, sh', { ...web, scheduler: 'sh' }, { ...web, scheduler: 'mh' }, []],
  [
    'another scheduler',
    { ...web, scheduler: 'mh' },
    { ...web, scheduler: 'sh' },
    ['scheduler: not in force mh; still in force sh'],
  ],
  ['a scheduler that the plane does not tell', { ...web, scheduler: 'rr' }, web, []],
];

for (const [title, wanted, found, expected] of rows) {
  test(`kernel against intent: ${title}`, () => {
    assert.deepEqual(differenceOf(wanted, found)?.aspects.map(aspectText) ?? [], expected);
  });
}

test('frontends that are missing, and those that nobody asked for', () => {
  const other = make.make('ClusterIP', ipv4.services[1], 80, all, { service: 'test/another' });
  const found = differencesBetween([web, local], [other, local]);
  assert.deepEqual(
    found.map(({ kind, key, service }) => [kind, key, service]),
    [
      ['extra', '10.96.0.11:80/TCP', 'test/another'],
      ['missing', '10.96.0.10:80/TCP', 'test/web'],
    ],
  );
});
