import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigMap } from '../api/core/config-map.ts';
import { mastersGroup } from '../apiserver/auth/identity.ts';
import { startApiServer } from '../apiserver/run.ts';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { createMemoryStore } from '../store/memory.ts';
import type { Store } from '../store/store.ts';
import { createCaches } from './caches.ts';
import type { Transport } from './client.ts';
import { clientContract } from './contract.ts';
import { httpTransport } from './http-transport.ts';
import { loadKubeconfig } from './kubeconfig.ts';
import { createClient } from './rest-client.ts';
import type { ApiServer } from '../apiserver/run.ts';

/** A real server on `store`, with `folder` as its data folder. */
function startServer(store: Store, folder: string, port = 0): Promise<ApiServer> {
  return startApiServer({
    store,
    dataDir: folder,
    listen: [{ address: '127.0.0.1', port }],
    advertiseAddress: '10.244.0.1',
    serviceCidrs: ['10.96.0.0/16'],
    clusterDomain: 'cluster.local',
    allowLoopback: false,
    logger: silentLogger,
    metrics: createMetrics(),
  });
}

/** A folder that is gone with the stack. */
async function temporaryFolder(stack: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-client-'));
  stack.defer(() => rm(folder, { recursive: true }));
  return folder;
}

/** A real server with its own folder and port, and a client of it. */
async function startReal(connect: (server: ApiServer) => Promise<Transport>) {
  const stack = new AsyncDisposableStack();
  const folder = await temporaryFolder(stack);
  const server = stack.use(await startServer(stack.use(createMemoryStore()), folder));
  const transport = stack.use(await connect(server));
  return { client: createClient(transport), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

clientContract('API server in this process', () =>
  startReal(async (server) => server.inProcess({ name: 'test', groups: [mastersGroup], userAgent: 'test' })),
);

clientContract('API server over HTTPS with its kubeconfig', () =>
  startReal(async (server) => httpTransport((await loadKubeconfig([server.kubeconfig])).connection)),
);

test('a cache keeps what it knows while the server is away, and catches up when it is back', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await temporaryFolder(stack);
  const store = stack.use(createMemoryStore());
  const first = await startServer(store, folder);
  const { connection } = await loadKubeconfig([first.kubeconfig]);
  const client = createClient(stack.use(httpTransport(connection)));
  for (const name of ['stays', 'goes']) await client.create(ConfigMap, { metadata: { name, namespace: 'default' } });
  const outside = stack.use(createCaches(client, { random: () => 0 })).of(ConfigMap, { namespace: 'default' });
  await outside.synced;
  const told: string[] = [];
  const { promise: caughtUp, resolve } = Promise.withResolvers<void>();
  await first[Symbol.asyncDispose]();
  assert.equal(outside.size, 2);

  const second = stack.use(await startServer(store, folder, Number(new URL(first.url).port)));
  const inside = createClient(second.inProcess({ name: 'test', groups: [mastersGroup], userAgent: 'test' }));
  stack.use(
    outside.subscribe((changes) => {
      told.push(...changes.map(({ old, current }) => `${old?.metadata.name ?? '-'} ${current?.metadata.name ?? '-'}`));
      if (outside.get('comes', 'default') !== undefined) resolve();
    }),
  );
  told.length = 0;
  await inside.delete(ConfigMap, 'goes', { namespace: 'default' });
  await inside.create(ConfigMap, { metadata: { name: 'comes', namespace: 'default' } });
  await caughtUp;
  assert.deepEqual(told.sort(), ['- comes', 'goes -']);
});
