import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mastersGroup } from '../apiserver/auth/identity.ts';
import { startApiServer } from '../apiserver/run.ts';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { createMemoryStore } from '../store/memory.ts';
import type { Transport } from './client.ts';
import { clientContract } from './contract.ts';
import { httpTransport } from './http-transport.ts';
import { loadKubeconfig } from './kubeconfig.ts';
import { createClient } from './rest-client.ts';
import type { ApiServer } from '../apiserver/run.ts';

/** A real server with its own folder and port, and the transport to it. */
async function startReal(connect: (server: ApiServer) => Promise<Transport>) {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-client-'));
  const stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true }));
  const store = stack.use(createMemoryStore());
  const server = stack.use(
    await startApiServer({
      store,
      dataDir: folder,
      listen: [{ address: '127.0.0.1', port: 0 }],
      advertiseAddress: '10.244.0.1',
      serviceCidrs: ['10.96.0.0/16'],
      clusterDomain: 'cluster.local',
      allowLoopback: false,
      logger: silentLogger,
      metrics: createMetrics(),
    }),
  );
  const transport = stack.use(await connect(server));
  return { client: createClient(transport), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

clientContract('API server in this process', () =>
  startReal(async (server) => server.inProcess({ name: 'test', groups: [mastersGroup], userAgent: 'test' })),
);

clientContract('API server over HTTPS with its kubeconfig', () =>
  startReal(async (server) => httpTransport((await loadKubeconfig([server.kubeconfig])).connection)),
);
