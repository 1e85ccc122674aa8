import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { test } from 'node:test';
import { createMetrics } from '../observe/metrics.ts';
import { HealthChecks } from './health-checks.ts';
import { serveHealth } from './health-server.ts';
import { listenHttp } from '../observe/http-listener.ts';
import { proxyMetrics } from './metrics.ts';
import { serveMetrics } from './metrics-server.ts';
import { ProxyHealth } from './proxy-health.ts';

const loopback = { address: '127.0.0.1', port: 0 } as const;
const fail = (error: Error): never => assert.fail(error);

async function get(port: number, path: string) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text(), answer };
}

test('/healthz, /livez and /readyz tell what load balancers and the kubelet need, and are counted', async () => {
  const metrics = createMetrics();
  const health = new ProxyHealth(60_000);
  let nowMs = Date.UTC(2026, 0, 1);
  const server = serveHealth({
    ...loopback,
    health,
    metrics: proxyMetrics(metrics),
    onFailure: fail,
    now: () => nowMs,
  });
  using _ = server;
  const port = await server.listening;
  const statuses = async () =>
    Promise.all(['/healthz', '/livez', '/readyz'].map(async (path) => (await get(port, path)).status));
  assert.deepEqual(await statuses(), [200, 200, 503], 'starting');
  health.updated(nowMs);
  assert.deepEqual(await statuses(), [200, 200, 200], 'in force');
  health.sawNode({
    metadata: { name: 'a' },
    spec: { taints: [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }] },
    status: {},
  });
  assert.deepEqual(await statuses(), [503, 200, 200], 'on its way out');
  const { text, type, answer } = await get(port, '/healthz?verbose');
  assert.equal(type, 'application/json');
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  assert.deepEqual(JSON.parse(text), {
    lastUpdated: '2026-01-01T00:00:00.000Z',
    currentTime: '2026-01-01T00:00:00.000Z',
    nodeEligible: false,
  });
  health.queued(nowMs);
  nowMs += 61_000;
  assert.deepEqual(await statuses(), [503, 503, 503], 'stuck');
  assert.equal((await get(port, '/')).status, 404);
  assert.match(metrics.render(), /kubeproxy_proxy_healthz_total\{code="200"\} 2\n/);
  assert.match(metrics.render(), /kubeproxy_proxy_livez_total\{code="503"\} 1\n/);
});

test('/metrics, /proxyMode and /healthz are where kube-proxy has them', async () => {
  const metrics = createMetrics();
  proxyMetrics(metrics).frontends.set(7);
  using server = serveMetrics({ ...loopback, metrics, plane: () => 'nftables', onFailure: fail });
  const port = await server.listening;
  assert.match((await get(port, '/metrics')).text, /^fairlead_proxy_frontends 7$/m);
  assert.equal((await get(port, '/proxyMode')).text, 'nftables');
  assert.equal((await get(port, '/healthz')).text, 'ok');
});

test('a port that another program has is told once, and had when it is free', { timeout: 20_000 }, async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  assert.ok(address !== null && typeof address === 'object');
  const failures: Error[] = [];
  const refused = Promise.withResolvers<void>();
  using listener = listenHttp({
    address: '127.0.0.1',
    port: address.port,
    handler: (_request, response) => response.end('here'),
    onFailure: (error) => {
      failures.push(error);
      refused.resolve();
    },
  });
  await refused.promise;
  other.close();
  await once(other, 'close');
  context.mock.timers.tick(5000);
  assert.equal(await listener.listening, address.port);
  assert.equal((await get(address.port, '/')).text, 'here');
  assert.equal(failures.length, 1);
});

test('a health check node port answers on the addresses of node ports, by endpoints and by the health of the proxy', async () => {
  let isHealthy = true;
  let addresses = ['127.0.0.1'];
  const failures: string[] = [];
  using checks = new HealthChecks({
    addresses: () => addresses,
    isHealthy: () => isHealthy,
    onFailure: (_, error) => failures.push(error.message),
  });
  const port = 32_000 + (process.pid % 700);
  const check = { service: 'shop/cart', port, localEndpoints: 2 };
  checks.apply({ healthChecks: [check], healthChecksRemoved: [] });
  const ask = async (host = '127.0.0.1') => {
    const answer = await fetch(`http://${host}:${port}/any/path`);
    return { status: answer.status, body: await answer.json(), headers: answer.headers };
  };
  const body = { service: { namespace: 'shop', name: 'cart' }, localEndpoints: 2, serviceProxyHealthy: true };
  const first = await ask();
  assert.deepEqual([first.status, first.body], [200, body]);
  assert.equal(first.headers.get('content-type'), 'application/json');
  assert.equal(first.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(first.headers.get('x-load-balancing-endpoint-weight'), '2');
  await assert.rejects(ask('127.0.0.2'), 'only where node ports answer');
  isHealthy = false;
  assert.deepEqual([(await ask()).status, (await ask()).body], [503, { ...body, serviceProxyHealthy: false }]);
  isHealthy = true;
  checks.apply({ healthChecks: [{ ...check, localEndpoints: 0 }], healthChecksRemoved: [] });
  assert.deepEqual([(await ask()).status, (await ask()).body], [503, { ...body, localEndpoints: 0 }]);
  addresses = ['127.0.0.2'];
  checks.reopen();
  assert.equal((await ask('127.0.0.2')).status, 503);
  await assert.rejects(ask(), 'the address was left');
  checks.apply({ healthChecks: [], healthChecksRemoved: ['shop/cart'] });
  await assert.rejects(ask('127.0.0.2'), 'gone');
  assert.deepEqual(failures, []);
});
