import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Node } from '../api/core/node.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { createCaches } from '../client/caches.ts';
import { httpTransport } from '../client/http-transport.ts';
import { createClient } from '../client/rest-client.ts';
import { type KubeServer, startKubeServer, type StreamingLists } from '../client/testing/kube-server.ts';
import { numberToIpv4 } from '../lib/ip.ts';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { testService, testSlice } from '../routing/fixtures.ts';
import { network } from './contract/worlds.ts';
import { createFakePlane, type FakePlane } from './fake.ts';
import { startProxy } from './run.ts';

const services = 10_000;
const firstAddress = 0x0a600001;

function addressOf(number: number): string {
  return numberToIpv4(firstAddress + number);
}

function putService(server: KubeServer, number: number, labels: Record<string, string> = {}): void {
  const clusterIP = addressOf(number);
  server.put(Service, testService({ clusterIP, clusterIPs: [clusterIP] }, { name: `s${number}`, labels }));
}

function putSlice(server: KubeServer, number: number, ...addresses: string[]): void {
  const labels = { 'kubernetes.io/service-name': `s${number}` };
  server.put(EndpointSlice, testSlice(addresses, {}, { name: `s${number}-1`, labels }));
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The proxy against a server with 10,000 Services of two endpoints each. */
async function start(context: TestContext, streamingLists: StreamingLists) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startKubeServer({ streamingLists }));
  server.put(Node, { metadata: { name: 'node-1' }, spec: {}, status: {} });
  for (let number = 0; number < services; number += 1) {
    putService(server, number);
    putSlice(server, number, `10.244.${number >> 8}.${number & 255} @node-1`, `10.245.${number >> 8}.${number & 255}`);
  }
  const client = createClient(stack.use(httpTransport({ server: server.url })));
  const caches = stack.use(createCaches(client, { random: () => 0 }));
  const plane = createFakePlane(network, []);
  const metrics = createMetrics();
  const startMs = performance.now();
  const common = { client, caches, ownsCaches: true, network, logger: silentLogger, metrics };
  const proxy = stack.use(await startProxy({ ...common, nodeName: 'node-1', dataplane: plane }));
  await proxy.synced;
  context.diagnostic(`${services} Services read and decided in ${Math.round(performance.now() - startMs)} ms`);
  return { server, plane, proxy, metrics, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function backendOf(plane: FakePlane, number: number): string {
  return JSON.stringify(plane.connect('10.244.0.20', addressOf(number), 80, 'TCP'));
}

for (const how of ['served', 'refused'] as const) {
  test(`10,000 Services come in right, change and reconnect, with streaming lists ${how}`, async (context) => {
    await using run = await start(context, how);
    const { server, plane, proxy } = run;
    assert.equal(proxy.frontends().length, services);
    assert.match(backendOf(plane, 9999), /10\.24[45]\.39\.15:8080/);
    const listed = () =>
      server.requests.filter(({ query }) => query.has('sendInitialEvents') || !query.has('watch')).length;
    const before = listed();

    putSlice(server, 5000, '10.244.9.9');
    server.remove(Service, 's17', 'shop');
    await until(() => backendOf(plane, 5000).includes('10.244.9.9'), 'the new endpoint');
    await until(
      () => backendOf(plane, 17) === '"untouched"' || backendOf(plane, 17) === '"ignored"',
      'the Service gone',
    );

    server.disconnect();
    putSlice(server, 6000, '10.244.9.10');
    await until(() => backendOf(plane, 6000).includes('10.244.9.10'), 'a change while it was cut off');
    assert.equal(listed(), before, 'nothing was listed again');

    server.compact();
    putSlice(server, 7000, '10.244.9.11');
    server.compact();
    server.disconnect();
    await until(() => backendOf(plane, 7000).includes('10.244.9.11'), 'a change from a list made anew');
    assert.equal(proxy.frontends().length, services - 1);
    const { requests } = server;
    const selectors = new Set(
      requests.filter(({ path }) => !path.endsWith('nodes')).map(({ query }) => query.get('labelSelector')),
    );
    assert.deepEqual([...selectors], ['!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name']);
    assert.deepEqual(new Set(requests.map(({ method }) => method)), new Set(['GET']));
  });
}

test('a Service that is given to another proxy, or made headless by label, goes, and comes back', async (context) => {
  await using run = await start(context, 'served');
  for (const label of ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless']) {
    putService(run.server, 3, { [label]: '' });
    await until(() => !backendOf(run.plane, 3).includes('backend'), 'gone');
    putService(run.server, 3);
    await until(() => backendOf(run.plane, 3).includes('backend'), 'back with its endpoints');
  }
});
