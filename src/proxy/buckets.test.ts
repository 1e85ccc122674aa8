import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, integer, nat, property, record, string, uniqueArray } from 'fast-check';
import { assignSlots, bucketLimit, fillBuckets } from './buckets.ts';

const even = (...names: string[]) => names.map((name) => ({ name, weight: 1 }));

const cases: { title: string; previous: string[]; shares: { name: string; weight: number }[]; owners: string[] }[] = [
  { title: 'equal weights get one bucket each', previous: [], shares: even('a', 'b', 'c'), owners: ['a', 'b', 'c'] },
  {
    title: 'a new backend takes one new bucket',
    previous: ['a', 'b'],
    shares: even('a', 'b', 'c'),
    owners: ['a', 'b', 'c'],
  },
  {
    title: 'the last backend moves into the place of one that went',
    previous: ['a', 'b', 'c', 'd'],
    shares: even('a', 'c', 'd'),
    owners: ['a', 'd', 'c'],
  },
  { title: 'a replaced backend changes one bucket', previous: ['a', 'b'], shares: even('a', 'x'), owners: ['a', 'x'] },
  {
    title: 'weights are buckets over their common divisor',
    previous: [],
    shares: [
      { name: 'a', weight: 90 },
      { name: 'b', weight: 10 },
    ],
    owners: [...Array.from({ length: 9 }, () => 'a'), 'b'],
  },
  {
    title: 'weight 0 never gets a connection',
    previous: ['b'],
    shares: [
      { name: 'a', weight: 1 },
      { name: 'b', weight: 0 },
    ],
    owners: ['a'],
  },
  { title: 'no backend, no bucket', previous: ['a'], shares: [], owners: [] },
];

for (const { title, previous, shares, owners } of cases) {
  test(title, () => assert.deepEqual(fillBuckets(previous, shares), owners));
}

test('fractions are rounded to a share within two per cent', () => {
  const owners = fillBuckets(
    [],
    [
      { name: 'a', weight: 0.333 },
      { name: 'b', weight: 0.667 },
    ],
  );
  const share = owners.filter((owner) => owner === 'a').length / owners.length;
  assert.ok(Math.abs(share - 0.333) < 0.02, String(share));
});

const shares = uniqueArray(record({ name: string(), weight: integer({ min: 1, max: 200 }) }), {
  selector: (share) => share.name,
  maxLength: 40,
});

test('whatever changes, every backend has a bucket and most buckets keep their owner', () => {
  check(
    property(shares, shares, (before, after) => {
      const previous = fillBuckets([], before);
      const owners = fillBuckets(previous, after);
      assert.ok(owners.length <= bucketLimit);
      assert.deepEqual(new Set(owners), new Set(after.map((share) => share.name)));
      const fresh = fillBuckets([], after);
      assert.deepEqual([...owners].sort(), [...fresh].sort(), 'shares do not depend on history');
      assert.deepEqual(fillBuckets(owners, after), owners, 'the same again changes nothing');
    }),
  );
});

test('one more or one fewer equal backend changes at most one bucket that stays', () => {
  check(
    property(uniqueArray(string(), { minLength: 2, maxLength: 50 }), nat(), (names, pick) => {
      const previous = fillBuckets([], even(...names));
      const gone = names[pick % names.length];
      const owners = fillBuckets(previous, even(...names.filter((name) => name !== gone)));
      const moved = owners.filter((owner, bucket) => owner !== previous[bucket]);
      assert.ok(moved.length <= 1);
    }),
  );
});

test('slots stay with their backend and are given again when it goes', () => {
  const first = assignSlots(new Map(), ['a', 'b', 'c']);
  assert.deepEqual(
    [...first],
    [
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ],
  );
  const second = assignSlots(first, ['c', 'd', 'a']);
  assert.deepEqual(
    second,
    new Map([
      ['c', 2],
      ['a', 0],
      ['d', 1],
    ]),
  );
});
