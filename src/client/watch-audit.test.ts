import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../api/core/config-map.ts';
import { createMetrics } from '../observe/metrics.ts';
import { createCaches } from './caches.ts';
import type { Cache } from './caches.ts';
import { httpTransport } from './http-transport.ts';
import { createClient } from './rest-client.ts';
import { type KubeServer, startKubeServer } from './testing/kube-server.ts';

/** A synced cache of 700 ConfigMaps. */
async function start(everyMs: number, thoroughEvery: number, settleMs = 30) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startKubeServer({ streamingLists: 'served' }));
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
