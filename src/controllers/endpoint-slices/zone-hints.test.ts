import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../../api/core/node.ts';
import type { Endpoint } from '../../api/discovery/endpoint-slice.ts';
import { nodeFixture } from '../fixtures.ts';
import { spreadOverZones, zoneSharesOf } from './zone-hints.ts';

/** A ready Node `name` of a zone with so much CPU. */
function node(name: string, zone: string | undefined, cpu: string, labels: Record<string, string> = {}): Node {
  const { metadata, ...rest } = nodeFixture(name, zone);
  const status = { ...rest.status, allocatable: { cpu } };
  return { ...rest, metadata: { ...metadata, labels: { ...metadata.labels, ...labels } }, status };
}

const unready: Node = { ...node('x', 'd', '4'), status: { conditions: [{ type: 'Ready', status: 'False' }] } };
const unspecific = 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes';

const clusters: readonly [string, readonly Node[], Record<string, number> | string][] = [
  ['shares are of CPU', [node('1', 'a', '3'), node('2', 'b', '500m'), node('3', 'b', '500m')], { a: 0.75, b: 0.25 }],
  ['nodes that are not ready do not count', [node('1', 'a', '1'), node('2', 'b', '1'), unready], { a: 0.5, b: 0.5 }],
  [
    'control plane nodes do not count',
    [node('1', 'a', '1'), node('2', 'b', '1'), node('3', 'c', '1', { 'node-role.kubernetes.io/control-plane': '' })],
    { a: 0.5, b: 0.5 },
  ],
  ['a node without a zone', [node('1', 'a', '1'), node('2', undefined, '1')], unspecific],
  ['a node without CPU', [node('1', 'a', '1'), node('2', 'b', '0')], unspecific],
  ['a single zone', [node('1', 'a', '1'), node('2', 'a', '1')], 'Nodes only ready in one zone'],
];
for (const [name, nodes, expected] of clusters) {
  test(`zones: ${name}`, () => {
    const shares = zoneSharesOf(nodes);
    assert.deepEqual(
      'problem' in shares ? shares.problem : Object.fromEntries(shares as Map<string, number>),
      expected,
    );
  });
}

/** Endpoints 10.0.0.1, 10.0.0.2, ... in these zones, one letter each; `-` for none. */
function endpointsIn(zones: string): readonly Endpoint[] {
  return [...zones].map((zone, index) => ({
    addresses: [`10.0.0.${index + 1}`],
    ...(zone === '-' ? {} : { zone }),
  }));
}

const even = { a: 1 / 3, b: 1 / 3, c: 1 / 3 };
const spreads: readonly [string, Record<string, number>, string, string][] = [
  [
    'four among three would overload one',
    even,
    'aabc',
    'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (4 endpoints, 3 zones)',
  ],
  ['every zone has its share: all stay', even, 'abc', 'abc'],
  ['a little more than a share stays', { a: 0.5, b: 0.5 }, 'aaaaaabbbbb', 'aaaaaabbbbb'],
  ['a zone without endpoints gets one', even, 'aabbbb', 'aabbcc'],
  ['the richest gives', { a: 0.5, b: 0.5 }, 'aaaaab', 'aaabbb'],
  ['shares follow CPU', { a: 0.75, b: 0.25 }, 'bbbb', 'baaa'],
  ['endpoints of zones without nodes go where they are needed', { a: 0.5, b: 0.5 }, 'aazz', 'aabb'],
  ['fewer endpoints than zones', even, 'ab', 'Insufficient number of endpoints (2 endpoints, 3 zones)'],
  ['an endpoint without a zone', even, 'ab-', 'One or more endpoints do not have a zone specified'],
  [
    'too few for the minimum of each zone',
    { a: 0.7, b: 0.2, c: 0.1 },
    'abc',
    'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (3 endpoints, 3 zones)',
  ],
];
for (const [name, shares, zones, expected] of spreads) {
  test(`spreading: ${name}`, () => {
    const endpoints = endpointsIn(zones);
    for (const order of [endpoints, endpoints.toReversed()]) {
      const spread = spreadOverZones(order, new Map(Object.entries(shares)));
      const text = 'problem' in spread ? spread.problem : endpoints.map((each) => spread.get(each)).join('');
      assert.equal(text, expected);
    }
  });
}

test('no zone has fewer than its share allows, whatever is where', () => {
  const shares = new Map([
    ['a', 0.5],
    ['b', 0.3],
    ['c', 0.2],
  ]);
  for (let seed = 0; seed < 500; seed += 1) {
    const zones = Array.from({ length: 3 + (seed % 40) }, (_, index) => 'abcz'[(seed * 7 + index * index * seed) % 4]);
    const spread = spreadOverZones(endpointsIn(zones.join('')), shares);
    if ('problem' in spread) continue;
    assert.equal(spread.size, zones.length);
    for (const [zone, share] of shares) {
      const got: number = [...spread.values()].filter((each) => each === zone).length;
      assert.ok(got >= (share * zones.length) / 1.2, `${zone} has ${got} of ${zones.length}`);
    }
  }
});
