import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../client/client.ts';
import { isolateNetwork } from '../linux/namespaces.ts';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { lastChangeTriggerTime } from '../routing/trigger-time.ts';
import { dig } from './dig.ts';
import { dnsNamespace, dnsService, dnsSlice, testCaches } from './fixtures.ts';
import { startDns } from './run.ts';
import { clusterServer } from './settings/cluster-server.ts';
import { readMessage } from './wire/message.ts';
import { flags } from './wire/types.ts';
import { writeMessage } from './wire/writer.ts';

before(() => isolateNetwork());

/** The metrics of CoreDNS 1.12 that dashboards and alerts for it use, with their labels. */
const coredns: Readonly<Record<string, string>> = {
  coredns_dns_requests_total: 'server zone view proto family type',
  coredns_dns_request_duration_seconds: 'server zone view type',
  coredns_dns_request_size_bytes: 'server zone view proto',
  coredns_dns_do_requests_total: 'server zone view',
  coredns_dns_response_size_bytes: 'server zone view proto',
  coredns_dns_responses_total: 'server zone view rcode plugin',
  coredns_plugin_enabled: 'server zone view name',
  coredns_panics_total: '',
  coredns_cache_entries: 'server type zones view',
  coredns_cache_hits_total: 'server type zones view',
  coredns_cache_misses_total: 'server zones view',
  coredns_cache_requests_total: 'server zones view',
  coredns_proxy_request_duration_seconds: 'proxy_name to rcode',
  coredns_forward_requests_total: 'to',
  coredns_forward_responses_total: 'to rcode',
  coredns_forward_request_duration_seconds: 'to rcode',
  coredns_forward_healthcheck_broken_total: '',
  coredns_forward_max_concurrent_rejects_total: '',
  coredns_health_request_duration_seconds: '',
  coredns_health_request_failures_total: '',
  coredns_kubernetes_dns_programming_duration_seconds: 'service_kind',
};

const cart = 'cart.shop.svc.cluster.local';

/** An upstream that has a text for every name. */
async function upstream() {
  const socket = createSocket('udp4');
  socket.on('message', (packet, peer) => {
    const message = readMessage(packet);
    if ('malformed' in message) return;
    const { id, questions } = message;
    const answers = questions.map((question) => ({ ...question, ttl: 60, rdata: Buffer.from([1, 97]) }));
    socket.send(writeMessage({ id, flags: flags.QR, questions, answers }), peer.port, peer.address);
  });
  socket.bind(5300, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** A server that has been asked: cluster names over both protocols, an outside name twice, one that is no server's. */
async function asked(workers: number) {
  await using stack = new AsyncDisposableStack();
  stack.adopt(await upstream(), (socket) => void socket.close());
  const client = {} as Client;
  const cluster = testCaches(client);
  const metrics = createMetrics();
  const server = { address: '127.0.0.1', port: 53 };
  const settings = clusterServer({ listen: [server], upstreams: [{ address: '127.0.0.1', port: 5300 }], workers });
  const health = { address: '0.0.0.0', port: 8080, lameDuckMs: 0 };
  const where = { address: '127.0.0.1', port: 9153 };
  stack.use(
    await startDns({
      client,
      caches: cluster.caches,
      settings: { ...settings, health, metrics: where },
      logger: silentLogger,
      metrics,
    }),
  );
  cluster.namespace.apply([{ type: 'ADDED', object: dnsNamespace() }]);
  cluster.service.apply([{ type: 'ADDED', object: dnsService() }]);
  cluster.sync();
  await delay(0);
  const annotations = { [lastChangeTriggerTime]: new Date().toISOString() };
  const metadata = { name: 'cart-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'cart' }, annotations };
  cluster.slice.apply([{ type: 'ADDED', object: dnsSlice(['10.244.0.1'], { metadata }) }]);
  for (let round = 0; round < 3; round += 1) {
    await dig({ name: cart, server });
    await dig({ name: cart, server, tcp: true });
    await dig({ name: 'n.example', type: 'TXT', server });
  }
  const ended = stack.move();
  return { scrape, [Symbol.asyncDispose]: () => ended.disposeAsync() };
}

async function scrape(): Promise<string> {
  return (await fetch('http://127.0.0.1:9153/metrics')).text();
}

/** Sums of all series of a metric whose labels hold the text. */
function sum(text: string, metric: string, labels: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${metric}{`) && line.includes(labels));
  return lines.reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
}

for (const workers of [0, 2]) {
  test(`what is counted has CoreDNS's names and labels (${workers} threads)`, async () => {
    await using server = await asked(workers);
    let text = '';
    const isMeasured = (): boolean => /^coredns_health_request_duration_seconds_count [1-9]/m.test(text);
    for (let left = 50; left > 0 && !isMeasured(); left -= 1) {
      text = await server.scrape();
      await delay(100);
    }
    for (const [metric, labels] of Object.entries(coredns)) {
      const line = text.split('\n').find((each) => new RegExp(`^${metric}(_count)?[ {]`).test(each));
      if (metric === 'coredns_dns_do_requests_total') assert.equal(line, undefined, 'nobody set DO');
      else
        assert.equal([...(line ?? 'absent ').matchAll(/(\w+)="/g)].map(([, name]) => name).join(' '), labels, metric);
    }
    assert.equal(sum(text, 'coredns_dns_requests_total', 'server="dns://127.0.0.1:53",zone="."'), 9);
    assert.equal(sum(text, 'coredns_dns_requests_total', 'proto="udp",family="1",type="A"'), 3);
    assert.equal(sum(text, 'coredns_dns_requests_total', 'proto="tcp",family="1",type="A"'), 3);
    assert.equal(sum(text, 'coredns_dns_responses_total', 'rcode="NOERROR",plugin="kubernetes"'), 6);
    assert.equal(sum(text, 'coredns_dns_responses_total', 'rcode="NOERROR",plugin="forward"'), 1);
    assert.equal(sum(text, 'coredns_dns_responses_total', 'rcode="NOERROR",plugin="cache"'), 2);
    assert.equal(sum(text, 'coredns_dns_request_duration_seconds_count', 'type="A"'), 6);
    assert.ok(sum(text, 'coredns_dns_request_duration_seconds_sum', 'type="A"') > 0);
    assert.equal(sum(text, 'coredns_cache_hits_total', 'type="success"'), 2);
    assert.equal(sum(text, 'coredns_forward_responses_total', 'to="127.0.0.1:5300",rcode="NOERROR"'), 1);
    assert.equal(sum(text, 'coredns_plugin_enabled', 'name="kubernetes"'), 1);
    assert.equal(sum(text, 'coredns_kubernetes_dns_programming_duration_seconds_count', 'cluster_ip'), 1);
  });
}
