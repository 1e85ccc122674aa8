import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noCache } from '../settings/cluster-server.ts';
import { parseName } from '../wire/names.ts';
import { rcodes, typeNumbers } from '../wire/types.ts';
import { AnswerCache, type CacheKey } from './answer-cache.ts';

function keyOf(number: number): CacheKey {
  const key = parseName(`host-${number}.example.com`);
  assert.ok(key);
  return { key, type: typeNumbers.TXT, dnssecOk: false, checkingDisabled: false };
}

/** An answer whose record has so many bytes. */
function answerOf({ key: name, type }: CacheKey, bytes: number) {
  const record = { name, type, class: 1, ttl: 60, rdata: new Uint8Array(bytes) };
  return { rcode: rcodes.NOERROR, answers: [record], authorities: [], from: 'upstream' };
}

function cacheOf(megabytes: number) {
  const bounds = { capacity: 1000, megabytes, minSeconds: 0, maxSeconds: 60 };
  let evicted = 0;
  const cache = new AnswerCache({ ...noCache, positive: bounds }, () => (evicted += 1));
  const put = (number: number, bytes: number): void => {
    const key = keyOf(number);
    cache.put(key, answerOf(key, bytes), 60, 0);
  };
  const has = (number: number): boolean => cache.get(keyOf(number), 0) !== undefined;
  return { cache, put, has, evicted: () => evicted };
}

test('large answers have no more room than so many megabytes, whatever their number; what was used last stays', () => {
  const { cache, put, has, evicted } = cacheOf(1);
  for (let number = 0; number < 15; number += 1) put(number, 60_000);
  assert.ok(has(0));
  for (let number = 15; number < 30; number += 1) put(number, 60_000);
  const { success } = cache.sizes();
  assert.ok(success === 16 && evicted() === 14, `${success} kept, ${evicted()} gone`);
  assert.ok(has(0) && has(29) && !has(1));
});

test('an answer that takes the place of another gives its room back', () => {
  const { put, has, evicted } = cacheOf(1);
  for (let number = 0; number < 10; number += 1) put(number, 60_000);
  for (let times = 0; times < 50; times += 1) put(10, 60_000);
  assert.equal(evicted(), 0);
  assert.ok(has(0));
});

test('small answers are bounded by their number', () => {
  const { cache, put } = cacheOf(1);
  for (let number = 0; number < 1100; number += 1) put(number, 4);
  assert.equal(cache.sizes().success, 1000);
});
