import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Event } from '../api/core/event.ts';
import { Node } from '../api/core/node.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { createCaches } from '../client/caches.ts';
import { createFakeApi, type FakeApi } from '../client/fake.ts';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { testService, testSlice } from '../routing/fixtures.ts';
import { network } from './contract/worlds.ts';
import { createFakePlane, type FakeConnection } from './fake.ts';
import type { ProxyConfig } from './config.ts';
import { startProxy } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-proxy-'));
after(() => rmSync(folder, { recursive: true }));

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What a caller notices of a connection. */
function seenOf(connection: FakeConnection) {
  if (typeof connection === 'string') return connection;
  return { backend: connection.backend, isMasqueraded: connection.isMasqueraded };
}

/** A proxy on a fake API and a fake plane. */
async function start(api: FakeApi, dataDir?: string, overrides: Partial<ProxyConfig> = {}) {
  const caches = createCaches(api.client, { random: () => 0 });
  const plane = createFakePlane(network, ['192.0.2.1']);
  const metrics = createMetrics();
  const proxy = await startProxy({
    client: api.client,
    caches,
    nodeName: 'node-1',
    network,
    dataDir,
    logger: silentLogger,
    metrics,
    dataplane: plane,
    ...overrides,
  });
  return {
    proxy,
    plane,
    metrics,
    connect: (to = '10.96.0.1') => seenOf(plane.connect('10.244.0.20', to, 80, 'TCP')),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await caches[Symbol.asyncDispose]();
    },
  };
}

function apiWithCart(...endpoints: string[]): FakeApi {
  const api = createFakeApi();
  api.put(Service, testService());
  api.put(EndpointSlice, testSlice(endpoints));
  return api;
}

test('Services and their endpoints are in force from the start, as they change, and gone with the Service', async () => {
  const api = apiWithCart('10.244.0.11 @node-1');
  await using run = await start(api);
  await run.proxy.synced;
  assert.deepEqual(run.connect(), { backend: '10.244.0.11:8080', isMasqueraded: false });
  api.put(EndpointSlice, testSlice(['10.244.0.12 @node-1']));
  await until(() => JSON.stringify(run.connect()).includes('10.244.0.12'), 'the new endpoint');
  api.put(EndpointSlice, testSlice([]));
  await until(() => run.connect() === 'refused', 'refused without endpoints');
  api.remove(Service, 'cart', 'shop');
  await until(() => run.connect() === 'ignored', 'gone');
});

test('a Service is never refused for a moment because its endpoints are read later', async () => {
  const api = apiWithCart('10.244.0.11 @node-1');
  await using run = await start(api);
  await run.proxy.synced;
  assert.equal(run.plane.calls, 1, 'one adoption, with everything');
  assert.equal(run.proxy.frontends().length, 1);
});

test('without the API the last known state is in force, and the API corrects it when it comes', async () => {
  const dataDir = join(folder, 'away');
  const api = apiWithCart('10.244.0.11 @node-1');
  {
    await using first = await start(api, dataDir);
    await first.proxy.synced;
  }
  let isAway = true;
  api.intercept = () => (isAway ? new Error('connection refused') : undefined);
  await using second = await start(api, dataDir);
  assert.deepEqual(second.connect(), { backend: '10.244.0.11:8080', isMasqueraded: false });
  api.put(EndpointSlice, testSlice(['10.244.0.12 @node-1']));
  isAway = false;
  await until(() => JSON.stringify(second.connect()).includes('10.244.0.12'), 'corrected');
});

test("a new backend's share grows to the whole by itself, where its Service asks for it", async () => {
  const api = createFakeApi();
  api.put(Service, testService({}, { annotations: { 'fairlead.dev/slow-start': '90ms' } }));
  api.put(EndpointSlice, testSlice(['10.244.0.11']));
  const clock = { ms: Date.now() };
  await using run = await start(api, undefined, { now: () => clock.ms });
  await run.proxy.synced;
  const shares = async () =>
    (await run.plane.dump()).flatMap(({ internal }) => internal.backends.map(({ weight }) => weight)).join(':');
  let seen = await shares();
  assert.equal(seen, '1');
  const become = (wanted: string) =>
    until(() => {
      void shares().then((now) => (seen = now));
      return seen === wanted;
    }, wanted);
  api.put(EndpointSlice, testSlice(['10.244.0.11', '10.244.0.12']));
  await become('10:1');
  clock.ms += 40;
  await become('2:1');
  clock.ms += 50;
  await become('1:1');
});

test('a refused frontend is an event on its Service and a figure, and the rest is in force', async () => {
  const api = apiWithCart('10.244.0.11 @node-1');
  await using run = await start(api);
  await run.proxy.synced;
  run.plane.refuses = (frontend) => (frontend.port === 81 ? 'port 81 needs privileges' : undefined);
  api.put(
    Service,
    testService({
      ports: [
        { name: 'http', port: 80, protocol: 'TCP' },
        { name: 'other', port: 81, protocol: 'TCP' },
      ],
    }),
  );
  await until(() => api.objects(Event).length > 0, 'an event');
  const [event] = api.objects(Event);
  assert.equal(event?.reason, 'FrontendRefused');
  assert.equal(event?.involvedObject?.name, 'cart');
  assert.equal(event?.message, '10.96.0.1:81/TCP is not in force on node-1: port 81 needs privileges');
  assert.match(run.metrics.render(), /fairlead_proxy_refused_frontends 1/);
  assert.equal(run.proxy.refused().get('10.96.0.1:81/TCP')?.reason, 'port 81 needs privileges');
  assert.notEqual(run.connect(), 'refused');
});

test('a plane that fails gets the change again', async () => {
  const api = apiWithCart('10.244.0.11 @node-1');
  await using run = await start(api);
  await run.proxy.synced;
  run.plane.failure = new Error('no memory');
  api.put(EndpointSlice, testSlice(['10.244.0.12 @node-1']));
  await until(() => /nftables_sync_failures_total [1-9]/.test(run.metrics.render()), 'a failure');
  run.plane.failure = undefined;
  await until(() => JSON.stringify(run.connect()).includes('10.244.0.12'), 'in force in the end');
});

test('a proxy ends without an error before anything is in force', async () => {
  const dataplane = createFakePlane(network, []);
  dataplane.failure = new Error('no memory');
  const run = await start(apiWithCart('10.244.0.11 @node-1'), undefined, { dataplane, ownsCaches: true });
  await run[Symbol.asyncDispose]();
  await run.proxy.synced;
});

const triggered = (timeMs: number) => ({
  'endpoints.kubernetes.io/last-change-trigger-time': new Date(timeMs).toISOString(),
});

test('programming latency is measured for each change from its own write to the API, the start left out', async () => {
  const startMs = Date.UTC(2026, 0, 1);
  let nowMs = startMs;
  const api = apiWithCart();
  api.put(EndpointSlice, testSlice(['10.244.0.11 @node-1'], {}, { annotations: triggered(startMs - 500_000) }));
  await using run = await start(api, undefined, { now: () => nowMs });
  await run.proxy.synced;
  run.plane.failure = new Error('no memory');
  const slices = [1, 2, 3].map((number) =>
    testSlice([`10.244.0.1${number}`], {}, { name: `cart-${number}`, annotations: triggered(startMs + number * 1000) }),
  );
  for (const slice of slices) api.put(EndpointSlice, slice);
  const figures = () => run.metrics.render();
  await until(() => /endpoint_changes_pending 3/.test(figures()), 'all three waiting');
  nowMs = startMs + 10_000;
  run.plane.failure = undefined;
  const name = 'kubeproxy_network_programming_duration_seconds';
  await until(() => figures().includes(`${name}_count{ip_family="IPv4"} 3`), 'three observations');
  assert.match(figures(), new RegExp(`${name}_sum{ip_family="IPv4"} 24\\n`), '9 + 8 + 7 seconds');
  assert.match(figures(), /sync_proxy_rules_endpoint_changes_pending 0\n/);
  assert.match(figures(), /sync_proxy_rules_endpoint_changes_total 3\n/);
  assert.match(figures(), /sync_proxy_rules_last_timestamp_seconds\{ip_family="IPv4"\} 1767225610\n/);
});

test('a Service whose policy leaves it without a backend here is counted by policy', async () => {
  const api = createFakeApi();
  api.put(Service, testService({ internalTrafficPolicy: 'Local' }));
  api.put(EndpointSlice, testSlice(['10.244.1.11 @node-2']));
  await using run = await start(api);
  await run.proxy.synced;
  const figure = (count: number) => `no_local_endpoints_total{ip_family="IPv4",traffic_policy="internal"} ${count}\n`;
  assert.ok(run.metrics.render().includes(figure(1)));
  api.put(EndpointSlice, testSlice(['10.244.0.11 @node-1']));
  await until(() => run.metrics.render().includes(figure(0)), 'a local endpoint');
});

const malformed: readonly [string, (api: FakeApi) => void, RegExp][] = [
  [
    'a slice with an address that is none',
    (api) => api.put(EndpointSlice, testSlice(['10.244.0.300'], {}, bad)),
    /10\.244\.0\.300/,
  ],
  [
    'a slice with an address of the other family',
    (api) => api.put(EndpointSlice, testSlice(['fd00::1'], {}, bad)),
    /fd00::1/,
  ],
  [
    'a slice whose port is text',
    (api) => api.put(EndpointSlice, unlike(testSlice(['10.244.0.12'], {}, bad), { ports: [{ port: '8080' }] })),
    /cannot unmarshal string into .*port of type int32/,
  ],
  [
    'a slice whose labels are text',
    (api) => api.put(EndpointSlice, unlike(testSlice(['10.244.0.12'], {}, bad), { endpoints: 'none' })),
    /cannot unmarshal string/,
  ],
  [
    'a Service whose port is text',
    (api) => api.put(Service, unlike(testService({}, { name: 'bad' }), { spec: { ports: [{ port: '80' }] } })),
    /cannot unmarshal string/,
  ],
  [
    'a Service with a port out of range',
    (api) => api.put(Service, testService({ ports: [{ port: 70_000 }] }, { name: 'bad' })),
    /70000/,
  ],
];

const bad = { name: 'bad-1', labels: { 'kubernetes.io/service-name': 'bad' } };

/** An object of another shape than its type says. */
function unlike<T>(object: T, fields: object): T {
  return { ...object, ...fields };
}

for (const [name, put, message] of malformed) {
  test(`${name} is an event on its Service and a figure, and every other Service works on`, async () => {
    const api = apiWithCart('10.244.0.11 @node-1');
    api.put(Service, testService({ clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'] }, { name: 'bad' }));
    await using run = await start(api);
    await run.proxy.synced;
    put(api);
    api.put(EndpointSlice, testSlice(['10.244.0.12 @node-1']));
    await until(() => JSON.stringify(run.connect()).includes('10.244.0.12'), 'the other Service changed');
    await until(() => api.objects(Event).length > 0, 'an event');
    const [event] = api.objects(Event);
    assert.match(event?.reason ?? '', /^Invalid(Object|Endpoint|Port)$/);
    assert.equal(event?.involvedObject?.name, 'bad');
    assert.match(event?.message ?? '', message);
    assert.match(run.metrics.render(), /fairlead_proxy_service_events_total\{reason="Invalid\w+"\} 1\n/);
  });
}

test('null where a list should be means an empty list', async () => {
  const api = apiWithCart('10.244.0.11 @node-1');
  await using run = await start(api);
  await run.proxy.synced;
  api.put(EndpointSlice, unlike(testSlice([]), { endpoints: null }));
  await until(() => run.connect() === 'refused', 'no endpoints');
});

test('a Service outside every Service range works: its range may be on its way out', async () => {
  const api = createFakeApi();
  api.put(Service, testService({ clusterIP: '172.30.0.1', clusterIPs: ['172.30.0.1'] }));
  api.put(EndpointSlice, testSlice(['10.244.0.11 @node-1']));
  await using run = await start(api);
  await run.proxy.synced;
  assert.deepEqual(run.connect('172.30.0.1'), { backend: '10.244.0.11:8080', isMasqueraded: false });
});

test('health check node ports answer with the number of local endpoints', async () => {
  const api = createFakeApi();
  const port = 31_000 + (process.pid % 1000);
  const spec = {
    type: 'LoadBalancer' as const,
    externalTrafficPolicy: 'Local' as const,
    healthCheckNodePort: port,
    ports: [{ name: 'http', port: 80, protocol: 'TCP' as const, nodePort: 30_080 }],
  };
  api.put(Service, testService(spec));
  api.put(EndpointSlice, testSlice(['10.244.0.11 @node-1', '10.244.1.11 @node-2']));
  await using run = await start(api);
  await run.proxy.synced;
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), {
    service: { namespace: 'shop', name: 'cart' },
    localEndpoints: 1,
    serviceProxyHealthy: true,
  });
  api.put(EndpointSlice, testSlice(['10.244.1.11 @node-2']));
  await until(
    () => run.proxy.frontends().every((each) => each.external.backends.every(({ local }) => !local)),
    'moved',
  );
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 503);
});

test('a proxy whose Node moves with its addresses takes its own plane over with the new network', async () => {
  const api = apiWithCart('10.244.0.11 @node-1');
  const node = (address: string) =>
    api.put(Node, {
      metadata: { name: 'node-1' },
      spec: {},
      status: { addresses: [{ type: 'InternalIP', address }] },
    });
  node('192.0.2.1');
  await using run = await start(api, undefined, { fromNode: { nodePortsOnPrimary: true } });
  await run.proxy.synced;
  const before = run.plane.calls;
  node('192.0.2.1');
  api.put(EndpointSlice, testSlice(['10.244.0.12 @node-1']));
  await until(() => run.plane.calls === before + 1, 'a change, and no new start for the same address');
  node('192.0.2.2');
  await until(() => run.plane.calls === before + 2, 'opened anew');
  assert.equal(run.proxy.frontends().length, 1);
});

test('a Service at a loopback address is told and not in force, unless Services live on loopback addresses', async () => {
  const api = createFakeApi();
  const clusterIp = '127.96.0.1';
  api.put(Service, testService({ clusterIP: clusterIp, clusterIPs: [clusterIp] }));
  api.put(EndpointSlice, testSlice(['10.244.0.11']));
  {
    await using run = await start(api);
    await run.proxy.synced;
    assert.deepEqual(run.proxy.frontends(), []);
    await until(() => api.objects(Event).length > 0, 'an event');
    assert.equal(api.objects(Event)[0]?.reason, 'InvalidAddress');
  }
  await using run = await start(api, undefined, { network: { ...network, serviceCidrs: ['127.96.0.0/16'] } });
  await run.proxy.synced;
  assert.deepEqual(run.connect(clusterIp), { backend: '10.244.0.11:8080', isMasqueraded: false });
});
