import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../api/core/config-map.ts';
import { Secret } from '../api/core/secret.ts';
import { createMetrics } from '../observe/metrics.ts';
import { createCaches } from './caches.ts';
import type { Cache } from './caches.ts';
import { httpTransport } from './http-transport.ts';
import { createClient } from './rest-client.ts';
import { type KubeServer, startKubeServer, type StreamingLists } from './testing/kube-server.ts';

/** A synced cache of 700 ConfigMaps. */
async function start(everyMs: number, thoroughEvery: number, settleMs = 30, streamingLists: StreamingLists = 'served') {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startKubeServer({ streamingLists }));
  for (let number = 0; number < 700; number += 1) put(server, String(number), 'first');
  const client = createClient(stack.use(httpTransport({ server: server.url })));
  const metrics = createMetrics();
  const pace = { everyMs, settleMs, thoroughEvery };
  const caches = stack.use(createCaches(client, { random: () => 0.5, metrics, audit: pace }));
  const cache = caches.of(ConfigMap);
  await cache.synced;
  return { server, cache, metrics, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

type Run = Awaited<ReturnType<typeof start>>;

function put(server: KubeServer, name: string, value: string): void {
  server.put(ConfigMap, { metadata: { name, namespace: 'a' }, data: { value } });
}

function until(cache: Cache<ConfigMap>, isMet: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const check = () => isMet() && resolve();
  const handle = cache.subscribe(check);
  check();
  return promise.finally(() => handle[Symbol.dispose]());
}

const gaps = ({ metrics }: Run): string | undefined =>
  /fairlead_client_watch_gaps_total\{kind="ConfigMap"\} (\d+)/.exec(metrics.render())?.[1];
const valueOf = ({ cache }: Run, name: string) => cache.get(name, 'a')?.data?.['value'];
const listed = ({ server }: Run) => server.requests.filter(({ query }) => !query.has('watch'));

const losses = [
  ['a new object', 1000, ({ server }: Run) => put(server, 'new', 'x'), (run: Run) => valueOf(run, 'new') === 'x'],
  [
    'a deletion',
    1000,
    ({ server }: Run) => server.remove(ConfigMap, '3', 'a'),
    ({ cache }: Run) => cache.get('3', 'a') === undefined,
  ],
  ['a change', 1, ({ server }: Run) => put(server, '3', 'second'), (run: Run) => valueOf(run, '3') === 'second'],
] as const;

for (const [what, thoroughEvery, change, isHealed] of losses) {
  test(`${what} that the server lost on the way is found, healed and counted`, async () => {
    await using run = await start(50, thoroughEvery);
    run.server.loseNext();
    change(run);
    put(run.server, 'mark', 'x');
    await until(run.cache, () => run.cache.get('mark', 'a') !== undefined);
    assert.equal(isHealed(run), false, 'the watch went past it');
    await until(run.cache, () => isHealed(run));
    assert.equal(gaps(run), '1');
    put(run.server, 'after', 'x');
    await until(run.cache, () => run.cache.get('after', 'a') !== undefined);
  });
}

/** Until the watch has brought something new. */
async function mark(run: Run, name: string): Promise<void> {
  put(run.server, name, 'x');
  await until(run.cache, () => run.cache.get(name, 'a') !== undefined);
}

const restores = [
  ['at its revision', (revision: number) => revision],
  ['at a newer revision than any that was seen', (revision: number) => revision + 10_000],
] as const;

for (const [where, revisionFor] of restores) {
  test(`a store that was restored ${where} under an open watch is found, healed and counted`, async () => {
    await using run = await start(50, 1);
    const saved = run.server.save();
    put(run.server, '3', 'later');
    await mark(run, 'only later');
    run.server.restore(saved, revisionFor(saved.revision));
    await until(run.cache, () => valueOf(run, '3') === 'first' && run.cache.get('only later', 'a') === undefined);
    assert.equal(gaps(run), '1');
    await mark(run, 'after');
  });
}

test('a store that went back in time is found by the looks that count, when there are as many objects', async () => {
  await using run = await start(50, 1000);
  const saved = run.server.save();
  put(run.server, '3', 'later');
  await until(run.cache, () => valueOf(run, '3') === 'later');
  run.server.restore(saved);
  await until(run.cache, () => valueOf(run, '3') === 'first');
  assert.equal(gaps(run), '1');
});

test('a server that never sends a bookmark is followed, over forgotten history too, and what it loses is found', async () => {
  await using run = await start(50, 1, 30, 'refused');
  // Revisions go on with objects of another kind, and no mark tells the watch so.
  for (let number = 0; number < 50; number += 1)
    run.server.put(Secret, { metadata: { name: `${number}`, namespace: 'a' } });
  run.server.compact();
  run.server.disconnect();
  await mark(run, 'behind it');
  run.server.loseNext();
  put(run.server, '3', 'second');
  await mark(run, 'last');
  assert.equal(valueOf(run, '3'), 'first');
  await until(run.cache, () => valueOf(run, '3') === 'second');
  assert.equal(gaps(run), '1');
});

test('objects that come and go while they are compared are no gap', async () => {
  await using run = await start(1, 1, 1);
  let round = 0;
  const changes = setInterval(() => {
    put(run.server, `new ${round}`, 'x');
    if (round > 0) run.server.remove(ConfigMap, `new ${round - 1}`, 'a');
    round += 1;
  }, 1);
  while (listed(run).length < 40) await new Promise(setImmediate);
  clearInterval(changes);
  assert.equal(gaps(run), undefined);
});

test('a cache that is as the API costs one object a look, and is not listed again', async () => {
  await using run = await start(5, 1000);
  while (listed(run).length < 5) await new Promise(setImmediate);
  assert.deepEqual(new Set(listed(run).map(({ query }) => query.get('limit'))), new Set(['1']));
  assert.equal(gaps(run), undefined);
});

test('what is only late is no gap', async () => {
  await using run = await start(1, 1, 1000);
  const changes = setInterval(() => put(run.server, String(Math.floor(Math.random() * 700)), 'late'), 1);
  while (listed(run).length < 20) await new Promise(setImmediate);
  clearInterval(changes);
  assert.equal(gaps(run), undefined);
});
