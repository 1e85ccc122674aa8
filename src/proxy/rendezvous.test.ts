import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Share } from './buckets.ts';
import { hashBuckets } from './rendezvous.ts';

function shares(...weights: readonly number[]): Share[] {
  return weights.map((weight, at) => ({ name: `10.244.${at >> 8}.${at & 255}:8080`, weight }));
}

function counts(buckets: readonly string[], all: readonly Share[]): number[] {
  return all.map(({ name }) => buckets.filter((owner) => owner === name).length / buckets.length);
}

test('shares are near what the weights ask for, and nobody of weight 0 owns anything', () => {
  for (const all of [shares(1, 1, 1), shares(1, 2, 5, 0), shares(...Array.from({ length: 50 }, () => 3))]) {
    const sum = all.reduce((total, { weight }) => total + weight, 0);
    for (const [at, share] of counts(hashBuckets(all), all).entries()) {
      const wanted = (all[at]?.weight ?? 0) / sum;
      assert.ok(Math.abs(share - wanted) <= wanted * 0.4, `${share} instead of ${wanted}`);
    }
  }
});

test('a backend that goes or comes moves only its own share', () => {
  const all = shares(1, 1, 1, 1);
  const before = hashBuckets(all);
  const gone = all[1]?.name;
  const after = hashBuckets(all.filter(({ name }) => name !== gone));
  assert.equal(after.length, before.length);
  for (const [bucket, owner] of before.entries()) if (owner !== gone) assert.equal(after[bucket], owner);
  assert.ok(!after.includes(gone ?? ''));
});

test('more weight only takes, less only gives', () => {
  const before = hashBuckets(shares(2, 2, 1));
  const after = hashBuckets(shares(2, 3, 1));
  const heavier = '10.244.0.1:8080';
  for (const [bucket, owner] of after.entries()) if (owner !== heavier) assert.equal(before[bucket], owner);
});

test('the owners are these on every node: another table would move the clients of a mixed cluster', () => {
  const owners = hashBuckets(shares(1, 1, 1));
  const last = owners.slice(0, 24).map((owner) => owner.at(-6));
  assert.equal(last.join(''), '112012101110202201212012');
});

test('one backend is one bucket, none is none, a thousand are as many as there can be', () => {
  assert.deepEqual(hashBuckets(shares(7)), ['10.244.0.0:8080']);
  assert.deepEqual(hashBuckets([]), []);
  const many = shares(...Array.from({ length: 1000 }, () => 1));
  const startMs = performance.now();
  const owners = hashBuckets(many);
  assert.ok(performance.now() - startMs < 2000);
  assert.equal(owners.length, 32_768);
  assert.equal(new Set(owners).size, 1000);
});
