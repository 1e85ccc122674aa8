import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../api/core/config-map.ts';
import type { WatchEvent } from './client.ts';
import { createObjectCache } from './object-cache.ts';

function object(name: string, revision: number, uid = name): ConfigMap {
  return { metadata: { name, namespace: 'x', uid, resourceVersion: String(revision) } };
}

function event(type: WatchEvent<ConfigMap>['type'], given: ConfigMap): WatchEvent<ConfigMap> {
  return { type, object: given };
}

function setUp() {
  const errors: unknown[] = [];
  const cache = createObjectCache(ConfigMap, { onHandlerError: (error) => errors.push(error) });
  const seen: string[] = [];
  cache.subscribe((changes) => {
    for (const { old, current } of changes) {
      seen.push(`${old?.metadata.resourceVersion ?? '-'}>${current?.metadata.resourceVersion ?? '-'}`);
    }
  });
  return { cache, seen, errors };
}

test('an own write that the watch has passed already changes nothing', () => {
  const { cache, seen } = setUp();
  cache.replace([], '1');
  cache.apply([event('ADDED', object('a', 5)), event('DELETED', object('a', 7))]);
  cache.written(object('a', 5));
  assert.equal(cache.size, 0);
  assert.deepEqual(seen, ['->5', '5>-']);
});

test('events older than an own write are skipped, newer ones count', () => {
  const { cache, seen } = setUp();
  cache.replace([object('a', 1)], '1');
  cache.written(object('a', 4));
  cache.apply([
    event('MODIFIED', object('a', 3)),
    event('MODIFIED', object('a', 4)),
    event('MODIFIED', object('a', 6)),
  ]);
  assert.deepEqual(seen, ['->1', '1>4', '4>6']);
});

test('an object deleted by us does not come back with a late event; its successor does', () => {
  const { cache } = setUp();
  cache.replace([object('a', 1)], '1');
  cache.deleted(object('a', 1));
  cache.apply([event('MODIFIED', object('a', 2))]);
  assert.equal(cache.size, 0);
  cache.apply([event('DELETED', object('a', 3)), event('ADDED', object('a', 4, 'successor'))]);
  assert.equal(cache.get('a', 'x')?.metadata.uid, 'successor');
});

test('a list that is older than an own write keeps it', () => {
  const { cache } = setUp();
  cache.replace([], '1');
  cache.written(object('a', 5));
  cache.replace([], '4');
  assert.equal(cache.size, 1);
  cache.replace([], '6');
  assert.equal(cache.size, 0);
});

test('a server that starts over replaces everything', () => {
  const { cache, seen } = setUp();
  cache.replace([object('a', 50), object('b', 51)], '60');
  seen.length = 0;
  cache.replace([object('a', 2, 'other'), object('c', 3)], '5');
  assert.deepEqual(
    cache
      .list()
      .map(({ metadata }) => metadata.uid)
      .sort(),
    ['c', 'other'],
  );
  assert.deepEqual(seen, ['50>-', '51>-', '->2', '->3']);
});

test('objects of a restored store are taken back, whatever the revision of the list', () => {
  for (const restored of ['650', '1000900']) {
    const { cache, seen } = setUp();
    cache.replace([object('a', 500), object('b', 550)], '600');
    cache.apply([event('MODIFIED', object('a', 900))]);
    cache.replace([object('a', 500), object('b', 550)], restored);
    assert.equal(cache.get('a', 'x')?.metadata.resourceVersion, '500');
    cache.apply([event('MODIFIED', object('a', Number(restored) + 1))]);
    assert.deepEqual(seen, ['->500', '->550', '500>900', '900>500', `500>${Number(restored) + 1}`]);
  }
});

test('a first list that starts again takes what a restored store has, but nothing older than an own write', () => {
  const { cache } = setUp();
  cache.add([object('a', 900), object('b', 901)]);
  cache.written(object('b', 950));
  cache.add([object('a', 500), object('b', 501)]);
  cache.listed(new Set(['x/a', 'x/b']), '940');
  assert.equal(cache.get('a', 'x')?.metadata.resourceVersion, '500');
  assert.equal(cache.get('b', 'x')?.metadata.resourceVersion, '950');
});

test('a handler that throws does not keep others from hearing', () => {
  const { cache, seen, errors } = setUp();
  cache.subscribe(() => {
    throw new Error('broken');
  });
  const second: number[] = [];
  cache.subscribe((changes) => second.push(changes.length));
  cache.replace([object('a', 1)], '1');
  assert.deepEqual([seen.length, second, errors.length], [1, [1], 1]);
});
