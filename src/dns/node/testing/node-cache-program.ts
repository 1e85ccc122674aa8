/**
 * A server, usually a node cache, as a process of its own, with one Service. Says `listening`, and ends on SIGTERM. Addresses
 * on standard input (JSON) are where it listens from then on; it says `changed`. For tests.
 */
import type { Client } from '../../../client/client.ts';
import type { User } from '../../../linux/privileges.ts';
import { createLogger } from '../../../observe/log.ts';
import { createMetrics } from '../../../observe/metrics.ts';
import type { SocketAddress } from '../../config.ts';
import { dnsNamespace, dnsService, testCaches } from '../../fixtures.ts';
import { startDns } from '../../run.ts';
import { clusterServer } from '../../settings/cluster-server.ts';

export interface NodeCacheProgram {
  readonly listen: readonly SocketAddress[];
  readonly upstream: SocketAddress;
  readonly workers: number;
  /** Milliseconds until the cluster is known. */
  readonly syncAfterMs: number;
  /** True unless given. */
  readonly isNodeCache?: boolean;
  readonly user?: User;
  readonly dataDir?: string;
}

const {
  listen,
  upstream,
  workers,
  syncAfterMs,
  isNodeCache = true,
  user,
  dataDir,
}: NodeCacheProgram = JSON.parse(process.argv[2] ?? '');
const client = {} as Client;
const test = testCaches(client);
test.namespace.apply([{ type: 'ADDED', object: dnsNamespace() }]);
test.service.apply([{ type: 'ADDED', object: dnsService() }]);
setTimeout(() => test.sync(), syncAfterMs);
const settingsAt = (where: readonly SocketAddress[]) => ({
  ...clusterServer({ listen: where, upstreams: [upstream], workers }),
  health: isNodeCache ? { address: '127.0.0.1', port: 8080, lameDuckMs: 20_000 } : undefined,
});
const dns = await startDns({
  client,
  caches: test.caches,
  settings: settingsAt(listen),
  ...(isNodeCache ? { nodeCache: listen } : {}),
  user,
  dataDir,
  logger: createLogger({ component: 'dns', level: 'warn', out: process.stderr }),
  metrics: createMetrics(),
});
process.once('SIGTERM', () => void dns[Symbol.asyncDispose]().then(() => process.exit(0)));
process.stdin.on('data', (text) => {
  void dns.become(settingsAt(JSON.parse(String(text)) as SocketAddress[])).then(() => console.log('changed'));
});
setInterval(() => undefined, 1000);
console.log('listening');
