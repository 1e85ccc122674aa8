import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../api/core/config-map.ts';
import { nameOf } from '../api/meta/object-meta.ts';
import { createCaches } from './caches.ts';
import type { Cache } from './caches.ts';
import { httpTransport } from './http-transport.ts';
import { createClient } from './rest-client.ts';
import { type KubeServer, startKubeServer, type StreamingLists } from './testing/kube-server.ts';

/** A cache of ConfigMaps on a server that has this many, named `0` and up. */
async function start(streamingLists: StreamingLists, count: number, pauseMs = 0) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startKubeServer({ streamingLists, pauseMs }));
  for (let number = 0; number < count; number += 1) put(server, String(number));
  const client = createClient(stack.use(httpTransport({ server: server.url })));
  const caches = stack.use(createCaches(client, { random: () => 0 }));
  return { server, cache: caches.of(ConfigMap), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function put(server: KubeServer, name: string): void {
  server.put(ConfigMap, { metadata: { name, namespace: 'a' } });
}

function until(cache: Cache<ConfigMap>, isMet: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const check = () => isMet() && resolve();
  const handle = cache.subscribe(check);
  check();
  return promise.finally(() => handle[Symbol.dispose]());
}

const lists = (server: KubeServer) => server.requests.filter(({ query }) => !query.has('watch'));
const initial = (server: KubeServer) => server.requests.filter(({ query }) => query.has('sendInitialEvents'));

test('a streaming list is asked for, and nothing is listed', async () => {
  await using run = await start('served', 1200);
  await run.cache.synced;
  assert.equal(run.cache.size, 1200);
  assert.equal(lists(run.server).length, 0);
  assert.equal(initial(run.server).length, 1);
});

test('a server that refuses streaming lists is listed in pages', async () => {
  await using run = await start('refused', 1200);
  await run.cache.synced;
  assert.equal(run.cache.size, 1200);
  assert.deepEqual(
    lists(run.server).map(({ query }) => query.get('continue')),
    [null, '500.1300', '1000.1300'],
  );
  put(run.server, 'new');
  await until(run.cache, () => run.cache.get('new', 'a') !== undefined);
});

test('a server that sends the objects and never the end of the list is listed in pages', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  await using run = await start('ignored', 700);
  await until(run.cache, () => run.cache.size === 700);
  assert.equal(run.cache.isSynced, false, 'nobody said that this is all');
  context.mock.timers.tick(10_000);
  await run.cache.synced;
  assert.equal(lists(run.server).length, 2);
});

test('objects show while a slow list is still coming in', async () => {
  await using run = await start('served', 1100, 20);
  await until(run.cache, () => run.cache.size > 0);
  assert.equal(run.cache.isSynced, false);
  await run.cache.synced;
  assert.equal(run.cache.size, 1100);
});

test('what goes away between two tries of the first list is gone', async () => {
  await using run = await start('served', 1100, 50);
  await until(run.cache, () => run.cache.size >= 500);
  run.server.disconnect();
  run.server.remove(ConfigMap, '7', 'a');
  await run.cache.synced;
  assert.equal(run.cache.size, 1099);
  assert.equal(run.cache.get('7', 'a'), undefined);
});

for (const how of ['served', 'refused'] as const) {
  test(`a lost connection goes on from where it was, without a list (streaming lists ${how})`, async () => {
    await using run = await start(how, 10);
    await run.cache.synced;
    const before = [lists(run.server).length, initial(run.server).length];
    run.server.disconnect();
    run.server.remove(ConfigMap, '3', 'a');
    put(run.server, 'new');
    await until(run.cache, () => run.cache.get('new', 'a') !== undefined);
    assert.equal(run.cache.get('3', 'a'), undefined);
    assert.deepEqual([lists(run.server).length, initial(run.server).length], before);
  });

  test(`history that is gone makes a new list, of which only the difference is told (streaming lists ${how})`, async () => {
    await using run = await start(how, 10);
    await run.cache.synced;
    const told: string[] = [];
    using _ = run.cache.subscribe((changes) =>
      told.push(...changes.map(({ old, current }) => `${old && nameOf(old)} ${current && nameOf(current)}`)),
    );
    told.length = 0;
    run.server.remove(ConfigMap, '3', 'a');
    put(run.server, 'new');
    run.server.compact();
    run.server.disconnect();
    await until(run.cache, () => run.cache.get('new', 'a') !== undefined && run.cache.size === 10);
    assert.deepEqual(told.sort(), ['3 undefined', 'undefined new']);
  });
}

test('a list whose pages came too late is taken in one piece', async () => {
  await using run = await start('refused', 1200, 20);
  const late = setInterval(() => {
    if (lists(run.server).length === 0) return;
    put(run.server, 'late');
    run.server.compact();
    clearInterval(late);
  }, 1);
  await run.cache.synced;
  assert.equal(run.cache.size, 1201);
  assert.equal(lists(run.server).at(-1)?.query.get('limit'), null);
});
