import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../../client/client.ts';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { silentLogger } from '../../observe/log.ts';
import { createMetrics, type Metrics } from '../../observe/metrics.ts';
import type { SocketAddress } from '../config.ts';
import { dig } from '../dig.ts';
import { dnsNamespace, dnsService, dnsSlice, headlessService, testCaches } from '../fixtures.ts';
import { startDns } from '../run.ts';
import { clusterServer } from '../settings/cluster-server.ts';
import { readMessage } from '../wire/message.ts';
import { flags } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';

const server = { address: '127.0.0.1', port: 53 };
const other = { address: '127.0.0.1', port: 5301 };
const folder = mkdtempSync(join(tmpdir(), 'fairlead-shadow-'));
const stack = new AsyncDisposableStack();

before(async () => {
  isolateNetwork();
  stack.use(await startKnot());
});
after(async () => {
  await stack.disposeAsync();
  rmSync(folder, { recursive: true });
});

/** Debian's Knot with the cluster's zone as another server may see it. */
async function startKnot(): Promise<AsyncDisposable> {
  const zone = `$ORIGIN cluster.local.
@ 5 SOA ns.dns hostmaster 1 7200 1800 86400 5
@ 5 NS ns.dns
ns.dns 5 A 127.0.0.1
CART.shop.svc 99 A 10.96.0.1
moved.shop.svc 5 A 10.96.9.9
many.shop.svc 30 A 10.244.0.3
many.shop.svc 30 A 10.244.0.1
many.shop.svc 30 A 10.244.0.2
`;
  writeFileSync(join(folder, 'zone'), zone);
  const config = `server:
  listen: ${other.address}@${other.port}
  rundir: ${folder}
database:
  storage: ${folder}
zone:
  - domain: cluster.local
    file: ${folder}/zone
    zonefile-load: whole
    journal-content: none
`;
  writeFileSync(join(folder, 'knot.conf'), config);
  const child = spawn('knotd', ['--config', join(folder, 'knot.conf')], { stdio: ['ignore', 'ignore', 'inherit'] });
  for (;;) {
    const answer = await dig({ name: 'ns.dns.cluster.local', server: other, timeoutMs: 500 }).catch(() => undefined);
    if (answer?.message.answers.length === 1) break;
    assert.equal(child.exitCode, null, 'Knot runs');
    await delay(50);
  }
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await once(child, 'close');
    },
  };
}

async function start(to: SocketAddress, { workers = 0, percent = 100 } = {}) {
  const client = {} as Client;
  const cluster = testCaches(client);
  const metrics = createMetrics();
  const settings = clusterServer({ listen: [server], upstreams: [], workers });
  const dns = await startDns({
    client,
    caches: cluster.caches,
    settings: { ...settings, shadow: { to, percent }, metrics: { address: '127.0.0.1', port: 9153 } },
    logger: silentLogger,
    metrics,
  });
  cluster.namespace.apply([{ type: 'ADDED', object: dnsNamespace() }]);
  cluster.service.apply([
    { type: 'ADDED', object: dnsService({ clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'] }) },
    { type: 'ADDED', object: dnsService({ clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'] }, 'moved') },
    { type: 'ADDED', object: headlessService({}, 'many') },
  ]);
  const labels = { 'kubernetes.io/service-name': 'many' };
  const metadata = { name: 'many-1', namespace: 'shop', labels };
  cluster.slice.apply([{ type: 'ADDED', object: dnsSlice(['10.244.0.1', '10.244.0.2', '10.244.0.3'], { metadata }) }]);
  cluster.sync();
  await delay(0);
  return {
    metrics,
    settings,
    dns,
    ask: async (name: string, type = 'A') => (await dig({ name, type, server })).message,
    [Symbol.asyncDispose]: () => dns[Symbol.asyncDispose](),
  };
}

function count(metrics: Metrics, result: string): number {
  const lines = metrics.render().match(new RegExp(`^fairlead_dns_shadow_total\\{.*result="${result}"\\} \\d+$`, 'gm'));
  return (lines ?? []).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function counted(metrics: Metrics, result: string, wanted: number): Promise<void> {
  for (let left = 400; left > 0 && count(metrics, result) < wanted; left -= 1) await delay(20);
  assert.equal(count(metrics, result), wanted, result);
}

for (const workers of [0, 2]) {
  test(`answers that mean the same are the same, those that do not are told of (${workers} threads)`, async () => {
    await using it = await start(other, { workers });
    for (let round = 0; round < 3; round += 1) {
      await it.ask('cart.shop.svc.cluster.local');
      await it.ask('many.shop.svc.cluster.local');
      await it.ask('nothing.shop.svc.cluster.local');
    }
    await it.ask('cart.shop.svc.cluster.local', 'AAAA');
    await counted(it.metrics, 'same', 10);
    await it.ask('moved.shop.svc.cluster.local');
    await it.ask('_tcp.cart.shop.svc.cluster.local');
    await counted(it.metrics, 'different', 1);
    await counted(it.metrics, 'explained', 1);
    const page = await (await fetch('http://127.0.0.1:9153/shadow')).text();
    assert.match(page, /^100 % of the questions go to 127\.0\.0\.1 port 5301 too\./);
    assert.match(page, /^A +9 +1 +1 +0 +0 +0$/m);
    assert.match(
      page,
      /moved\.shop\.svc\.cluster\.local\. A \(1 time\)\n {2}only here: .* 10\.96\.0\.2\n {2}only there: .* 10\.96\.9\.9\n/,
    );
    assert.match(
      page,
      /as meant: a name that only has names below it exists .*\n {2}here: {2}NOERROR \| with SOA\n {2}there: NXDOMAIN/,
    );
    assert.equal(count(it.metrics, 'skipped') + count(it.metrics, 'unanswered') + count(it.metrics, 'passing'), 0);
  });
}

test('only the share that was asked for is followed, and none when the setting goes', async () => {
  await using it = await start(other, { percent: 25 });
  for (let each = 0; each < 20; each += 1) await it.ask('cart.shop.svc.cluster.local');
  await counted(it.metrics, 'same', 5);
  await it.dns.become({ ...it.settings, metrics: { address: '127.0.0.1', port: 9153 } });
  for (let each = 0; each < 20; each += 1) await it.ask('cart.shop.svc.cluster.local');
  assert.equal((await fetch('http://127.0.0.1:9153/shadow')).status, 404);
  assert.equal(count(it.metrics, 'same'), 5);
});

test('a server that leads back here is followed once', async () => {
  await using it = await start(server);
  await it.ask('cart.shop.svc.cluster.local');
  await counted(it.metrics, 'same', 1);
  await delay(100);
  assert.equal(count(it.metrics, 'same'), 1);
});

test('a server that does not answer costs those who ask nothing, and this one no more than it may', async () => {
  const silent = createSocket('udp4').bind(5302, '127.0.0.1');
  await once(silent, 'listening');
  await using it = await start({ address: '127.0.0.1', port: 5302 });
  for (let round = 0; round < 24; round += 1) {
    await Promise.all(Array.from({ length: 50 }, () => it.ask('cart.shop.svc.cluster.local')));
  }
  assert.equal(count(it.metrics, 'unanswered'), 0, 'all were answered before any comparison ended');
  // 64 at once, 1000 waiting.
  await counted(it.metrics, 'skipped', 1200 - 64 - 1000);
  await counted(it.metrics, 'unanswered', 64);
  silent.close();
});

test('a difference that is over a moment later is none', async () => {
  let asked = 0;
  const late = createSocket('udp4').bind(5303, '127.0.0.1');
  late.on('message', (packet, peer) => {
    const message = readMessage(packet);
    if ('malformed' in message) return;
    const address = (asked += 1) === 1 ? 9 : 1;
    const answers = message.questions.map((each) => ({ ...each, ttl: 5, rdata: Buffer.from([10, 96, 0, address]) }));
    const { id, questions } = message;
    late.send(writeMessage({ id, flags: flags.QR, questions, answers }), peer.port, peer.address);
  });
  await once(late, 'listening');
  await using it = await start({ address: '127.0.0.1', port: 5303 });
  await it.ask('cart.shop.svc.cluster.local');
  await counted(it.metrics, 'passing', 1);
  assert.equal(count(it.metrics, 'different'), 0);
  late.close();
});
