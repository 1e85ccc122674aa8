/**
 * An API server of its own, for load from another process: data folder in argv[2]. Prints one JSON line with the URL and
 * the path of the kubeconfig, and serves until it is told to end.
 */
import { join } from 'node:path';
import { startApiServer } from '../../src/apiserver/run.ts';
import { silentLogger } from '../../src/observe/log.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';

const dataDir = process.argv[2] ?? '';
await using store = openSqliteStore(join(dataDir, 'store.db'));
await using server = await startApiServer({
  store,
  dataDir,
  listen: [{ address: '127.0.0.1', port: 0 }],
  advertiseAddress: '192.0.2.1',
  serviceCidrs: ['10.96.0.0/16'],
  clusterDomain: 'cluster.local',
  allowLoopback: false,
  logger: silentLogger,
  metrics: createMetrics(),
});
console.log(JSON.stringify({ url: server.url, kubeconfig: server.kubeconfig }));
await new Promise<void>((resolve) => process.once('SIGTERM', () => resolve()));
console.error(JSON.stringify({ rssMiB: Math.round(process.memoryUsage.rss() / 1024 / 1024), cpu: process.cpuUsage() }));
