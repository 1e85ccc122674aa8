/**
 * Our DNS server in a process of its own, with as many Services as asked for: `server.ts SERVICES WORKERS [UPSTREAM PORT]`.
 * Tells its parent the port once it answers everything, and ends with it.
 */
import { Namespace } from '../../src/api/core/namespace.ts';
import { Service } from '../../src/api/core/service.ts';
import { createCaches } from '../../src/client/caches.ts';
import { createFakeApi } from '../../src/client/fake.ts';
import { startDns } from '../../src/dns/run.ts';
import { clusterServer } from '../../src/dns/settings/cluster-server.ts';
import { silentLogger } from '../../src/observe/log.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { benchService, namespace, ttlSeconds, zone } from './names.ts';

const [services = 0, workers = 0, upstreamPort = 0] = process.argv.slice(2).map(Number);
const api = createFakeApi();
api.put(Namespace, { metadata: { name: namespace }, spec: {}, status: {} });
for (let number = 0; number < services; number += 1) api.put(Service, benchService(number));
const caches = createCaches(api.client);
const settings = clusterServer({
  listen: [{ address: '127.0.0.1', port: 0 }],
  clusterDomain: zone,
  ttlSeconds,
  cidrs: ['10.96.0.0/16'],
  upstreams: upstreamPort === 0 ? [] : [{ address: '127.0.0.1', port: upstreamPort }],
  workers,
});
const dns = await startDns({
  client: api.client,
  caches,
  settings,
  udp: 'batch',
  logger: silentLogger,
  metrics: createMetrics(),
});
await dns.synced;
process.once('disconnect', () => process.exit());
process.send?.(dns.listening[0]?.port);
