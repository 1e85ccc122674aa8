import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../api/core/config-map.ts';
import { nameOf } from '../api/meta/object-meta.ts';
import { createCaches } from './caches.ts';
import type { Cache, Change } from './caches.ts';
import { TransportError } from './client.ts';
import { createFakeApi } from './fake.ts';
import type { FakeApiOptions } from './fake.ts';

function configMap(name: string, data: Record<string, string> = {}, namespace = 'default'): ConfigMap {
  return { metadata: { name, namespace }, data };
}

function setUp(options: FakeApiOptions = {}) {
  const api = createFakeApi(options);
  const caches = createCaches(api.client, { random: () => 0 });
  return { api, caches };
}

/** Resolves when the cache satisfies the condition: looks again after every change. */
function until<T>(cache: Cache<T>, isMet: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const check = () => isMet() && resolve();
  const handle = cache.subscribe(check);
  check();
  return promise.finally(() => handle[Symbol.dispose]());
}

function names(cache: Cache<ConfigMap>, namespace?: string): string[] {
  return cache.list(namespace).map(nameOf).sort();
}

for (const refusesStreaming of [false, true]) {
  const how = refusesStreaming ? 'list and watch' : 'a streaming list';
  test(`a cache follows the server by ${how}`, async () => {
    const { api, caches } = setUp({ refusesStreaming });
    await using _caches = caches;
    const a = await api.client.create(ConfigMap, configMap('a'));
    const cache = caches.of(ConfigMap);
    await caches.synced();
    assert.deepEqual(names(cache), ['a']);
    await api.client.create(ConfigMap, configMap('b', {}, 'shop'));
    await api.client.update(ConfigMap, { ...a, data: { k: '1' } });
    await until(cache, () => cache.get('a', 'default')?.data?.['k'] === '1');
    await api.client.delete(ConfigMap, 'a', { namespace: 'default' });
    await until(cache, () => cache.size === 1);
    assert.deepEqual(names(cache, 'shop'), ['b']);
    assert.deepEqual(names(cache, 'default'), []);
  });
}

test('one kind has one watch, whoever asks', async () => {
  const { api, caches } = setUp();
  await using _caches = caches;
  assert.equal(caches.of(ConfigMap), caches.of(ConfigMap));
  assert.notEqual(caches.of(ConfigMap), caches.of(ConfigMap, { namespace: 'shop' }));
  await caches.synced();
  assert.equal(api.calls.filter(({ verb }) => verb === 'watch').length, 2);
});

test('after a gap in history only the difference is told', async () => {
  const { api, caches } = setUp();
  await using _caches = caches;
  for (const name of ['same', 'changed', 'gone']) await api.client.create(ConfigMap, configMap(name));
  const cache = caches.of(ConfigMap);
  await cache.synced;
  const seen: string[] = [];
  cache.subscribe((changes) => seen.push(...changes.map(describe)));
  seen.length = 0;
  api.intercept = (call) => (call.verb === 'watch' ? new TransportError('away') : undefined);
  api.disconnect();
  await api.client.delete(ConfigMap, 'gone', { namespace: 'default' });
  const changed = await api.client.get(ConfigMap, 'changed', { namespace: 'default' });
  await api.client.update(ConfigMap, { ...changed, data: { k: '1' } });
  await api.client.create(ConfigMap, configMap('new'));
  api.compact();
  assert.equal(cache.size, 3, 'the last known state stays while the server is away');
  api.intercept = undefined;
  await until(cache, () => cache.get('new', 'default') !== undefined);
  assert.deepEqual(seen.sort(), ['changed -> changed', 'gone -> -', '- -> new'].sort());
});

test('a list that comes again is not held twice: what did not change is not even read', async () => {
  const { api, caches } = setUp();
  await using _caches = caches;
  for (const name of ['same', 'changed']) await api.client.create(ConfigMap, configMap(name));
  const read: string[] = [];
  const transform = (object: ConfigMap): ConfigMap => {
    read.push(nameOf(object));
    return object;
  };
  const cache = caches.of(ConfigMap, { view: 'counted', transform });
  await cache.synced;
  read.length = 0;
  api.intercept = (call) => (call.verb === 'watch' ? new TransportError('away') : undefined);
  api.disconnect();
  const changed = await api.client.get(ConfigMap, 'changed', { namespace: 'default' });
  await api.client.update(ConfigMap, { ...changed, data: { k: '1' } });
  api.compact();
  api.intercept = undefined;
  await until(cache, () => cache.get('changed', 'default')?.data?.['k'] === '1');
  assert.deepEqual(read, ['changed']);
  assert.equal(cache.size, 2);
});

function describe({ old, current }: Change<ConfigMap>): string {
  return `${old?.metadata.name ?? '-'} -> ${current?.metadata.name ?? '-'}`;
}

test('an index follows the objects', async () => {
  const { api, caches } = setUp();
  await using _caches = caches;
  const cache = caches.of(ConfigMap);
  const byColour = cache.index('colour', (object) => (object.data?.['colour'] ? [object.data['colour']] : []));
  const a = await api.client.create(ConfigMap, configMap('a', { colour: 'red' }));
  await api.client.create(ConfigMap, configMap('b', { colour: 'red' }));
  await until(cache, () => cache.size === 2);
  assert.deepEqual(byColour('red').map(nameOf), ['a', 'b']);
  await api.client.update(ConfigMap, { ...a, data: { colour: 'blue' } });
  await until(cache, () => byColour('blue').length === 1);
  assert.deepEqual(byColour('red').map(nameOf), ['b']);
});

test('a writer sees its own writes at once, and their late events change nothing', async () => {
  const { caches } = setUp();
  await using _caches = caches;
  const cache = caches.of(ConfigMap);
  await cache.synced;
  const seen: string[] = [];
  cache.subscribe((changes) => seen.push(...changes.map(describe)));
  const a = await caches.client.create(ConfigMap, configMap('a'));
  assert.equal(cache.get('a', 'default')?.metadata.resourceVersion, a.metadata.resourceVersion);
  const changed = await caches.client.update(ConfigMap, { ...a, data: { k: '1' } });
  assert.equal(cache.get('a', 'default')?.data?.['k'], '1');
  const preconditions = { uid: changed.metadata.uid };
  await caches.client.delete(ConfigMap, 'a', { namespace: 'default', preconditions });
  assert.equal(cache.get('a', 'default'), undefined);
  await caches.client.create(ConfigMap, configMap('b'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, ['- -> a', 'a -> a', 'a -> -', '- -> b']);
});

test('managed fields are not kept, and a transform may drop more', async () => {
  const { api, caches } = setUp();
  await using _caches = caches;
  const managedFields = [{ manager: 'kubectl' }];
  api.put(ConfigMap, { metadata: { name: 'a', namespace: 'default', managedFields }, data: { large: 'x' } });
  const cache = caches.of(ConfigMap, { view: 'without-data', transform: ({ data: _data, ...rest }) => rest });
  await cache.synced;
  const object = cache.get('a', 'default');
  assert.equal(object?.metadata.managedFields, undefined);
  assert.equal(object?.data, undefined);
});

test('a new subscriber is told what is there', async () => {
  const { api, caches } = setUp();
  await using _caches = caches;
  await api.client.create(ConfigMap, configMap('a'));
  const cache = caches.of(ConfigMap);
  await cache.synced;
  const seen: string[] = [];
  cache.subscribe((changes) => seen.push(...changes.map(describe)));
  assert.deepEqual(seen, ['- -> a']);
});
