/**
 * Our DNS server with headless Services of which one slice after the other changes: `changing-server.ts SERVICES WORKERS
 * CHANGES-A-SECOND`. Tells its port, then changes slices until it is asked what it changed. The changes come as a watch brings
 * them: through the client and the caches. The last Service is the watched one: its address is 10 and the number of its
 * version, and it changes ten times a second.
 */
import { Namespace } from '../../src/api/core/namespace.ts';
import { Service } from '../../src/api/core/service.ts';
import { EndpointSlice } from '../../src/api/discovery/endpoint-slice.ts';
import { createCaches } from '../../src/client/caches.ts';
import { createFakeApi } from '../../src/client/fake.ts';
import { startDns } from '../../src/dns/run.ts';
import { clusterServer } from '../../src/dns/settings/cluster-server.ts';
import { slimCaches } from '../../src/dns/slim-caches.ts';
import { numberToIpv4 } from '../../src/lib/ip.ts';
import { silentLogger } from '../../src/observe/log.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { podAddresses, sliceObject } from '../load/objects.ts';
import { benchService, namespace, ttlSeconds, zone } from './names.ts';
import type { Changed, ChangesMade } from './processes.ts';

const [services = 0, workers = 0, perSecond = 0] = process.argv.slice(2).map(Number);
const watched = services - 1;
const stepMs = 10;
const watchedEveryMs = 100;

const now = (): number => performance.timeOrigin + performance.now();
const sliceOf = (number: number, addresses: readonly string[]): EndpointSlice =>
  sliceObject({ number, addresses, revision: 1 }) as EndpointSlice;
const watchedSlice = (version: number): EndpointSlice => sliceOf(watched, [numberToIpv4(0x0a000000 + version)]);

const api = createFakeApi();
api.put(Namespace, { metadata: { name: namespace }, spec: {}, status: {} });
for (let number = 0; number < services; number += 1) {
  const service = benchService(number);
  api.put(Service, { ...service, spec: { ...service.spec, clusterIP: 'None', clusterIPs: ['None'] } });
  api.put(EndpointSlice, number === watched ? watchedSlice(1) : sliceOf(number, podAddresses(number, 15)));
}
const caches = slimCaches(createCaches(api.client));
const dns = await startDns({
  client: api.client,
  caches,
  settings: clusterServer({ listen: [{ address: '127.0.0.1', port: 0 }], clusterDomain: zone, ttlSeconds, workers }),
  udp: 'batch',
  logger: silentLogger,
  metrics: createMetrics(),
});
await dns.synced;

const seen: Changed[] = [];
let count = 0;
const firstMs = now();
let version = 1;
let next = 0;
// Before the DNS server hears of it: the cache tells in the order of subscription, and this one could only be later.
const timer = setInterval(() => {
  const due = Math.floor(((now() - firstMs) / 1000) * perSecond);
  for (; count < due; count += 1) {
    next = (next + 1) % watched;
    api.put(EndpointSlice, sliceOf(next, podAddresses(next, 15, 1 + (count % 3))));
  }
}, stepMs);
const watchedTimer = setInterval(() => {
  version += 1;
  count += 1;
  seen.push({ version, atMs: now() });
  api.put(EndpointSlice, watchedSlice(version));
}, watchedEveryMs);

process.once('disconnect', () => process.exit());
process.once('message', () => {
  clearInterval(timer);
  clearInterval(watchedTimer);
  const made: ChangesMade = { watched: seen, count, firstMs, lastMs: now() };
  process.send?.(made);
});
process.send?.(dns.listening[0]?.port);
