import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Event } from '../api/core/event.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { createCaches } from '../client/caches.ts';
import { createFakeApi, type FakeApi } from '../client/fake.ts';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { testService, testSlice } from '../routing/fixtures.ts';
import { network } from './contract/worlds.ts';
import { createFakePlane } from './fake.ts';
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

/** A proxy on a fake API and a fake plane. */
async function start(api: FakeApi, dataDir?: string) {
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
  });
  return {
    proxy,
    plane,
    metrics,
    connect: () => plane.connect('10.244.0.20', '10.96.0.1', 80, 'TCP'),
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
  assert.deepEqual([...run.proxy.refused()], [['10.96.0.1:81/TCP', 'port 81 needs privileges']]);
  assert.notEqual(run.connect(), 'refused');
});

test('a plane that fails gets the change again', async () => {
  const api = apiWithCart('10.244.0.11 @node-1');
  await using run = await start(api);
  await run.proxy.synced;
  run.plane.failure = new Error('no memory');
  api.put(EndpointSlice, testSlice(['10.244.0.12 @node-1']));
  await until(() => /fairlead_proxy_failures_total [1-9]/.test(run.metrics.render()), 'a failure');
  run.plane.failure = undefined;
  await until(() => JSON.stringify(run.connect()).includes('10.244.0.12'), 'in force in the end');
});

test('programming latency counts from the write to the API', async () => {
  const api = apiWithCart();
  await using run = await start(api);
  await run.proxy.synced;
  const written = new Date(Date.now() - 2000).toISOString();
  const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': written };
  api.put(EndpointSlice, testSlice(['10.244.0.12 @node-1'], {}, { annotations }));
  await until(() => run.metrics.render().includes('fairlead_proxy_programming_seconds_count 1'), 'one observation');
  const sum = /fairlead_proxy_programming_seconds_sum ([\d.]+)/.exec(run.metrics.render())?.[1];
  assert.ok(Number(sum) >= 2 && Number(sum) < 10, `${sum} s`);
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
