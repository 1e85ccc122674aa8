import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { Client } from '../client/client.ts';
import { isolateNetwork } from '../linux/namespaces.ts';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import type { Dns, DnsConfig } from './config.ts';
import { dig, formatDig } from './dig.ts';
import { dnsNamespace, dnsService, dnsSlice, headlessService, summary, testCaches } from './fixtures.ts';
import type { TestCaches } from './fixtures.ts';
import { createFrames } from './listen/tcp-frames.ts';
import { startDns } from './run.ts';
import { clusterServer } from './settings/cluster-server.ts';
import type { ClusterServer } from './settings/cluster-server.ts';
import { readMessage } from './wire/message.ts';
import { classIn, flags, rcodes, typeNumbers } from './wire/types.ts';
import { writeMessage } from './wire/writer.ts';

const run = promisify(execFile);
const modes = ['batch', 'dgram'] as const;
const addresses = ['127.0.0.1', '::1'] as const;

/** A server never calls a client that it was not asked to advertise with. */
const noClient = {} as Client;

type StartOptions = Partial<ClusterServer & Pick<DnsConfig, 'udp' | 'dataDir'>>;

interface Running {
  readonly dns: Dns;
  readonly test: TestCaches;
}

async function start({ udp, dataDir, ...server }: StartOptions = {}): Promise<Running> {
  const test = testCaches(noClient);
  const dns = await startDns({
    client: noClient,
    caches: test.caches,
    settings: clusterServer({ listen: addresses.map((address) => ({ address, port: 0 })), ...server }),
    udp,
    dataDir,
    logger: silentLogger,
    metrics: createMetrics(),
  });
  return { dns, test };
}

/** Debian's dig: another implementation that must understand us. */
async function debianDig({ dns }: Running, address: string, ...args: string[]): Promise<string> {
  const port = dns.listening.find((it) => it.address === address)?.port ?? 0;
  const { stdout } = await run('dig', [`@${address}`, '-p', String(port), '+tries=1', '+time=3', ...args]);
  return stdout;
}

function fill(test: TestCaches): void {
  test.namespace.apply([{ type: 'ADDED', object: dnsNamespace() }]);
  test.service.apply([
    { type: 'ADDED', object: dnsService() },
    { type: 'ADDED', object: headlessService({}, 'many') },
  ]);
  const hosts = Array.from({ length: 200 }, (_, index) => `10.244.1.${index}`);
  const labels = { 'kubernetes.io/service-name': 'many' };
  test.slice.apply([
    { type: 'ADDED', object: dnsSlice(hosts, { metadata: { name: 'many-1', namespace: 'shop', labels } }) },
  ]);
  test.sync();
}

const running = new Map<string, Running>();

before(async () => {
  isolateNetwork();
  for (const udp of modes) {
    const one = await start({ udp });
    fill(one.test);
    await one.dns.synced;
    running.set(udp, one);
  }
});

after(async () => {
  for (const { dns } of running.values()) await dns[Symbol.asyncDispose]();
});

function serverOf(mode: string): Running {
  const found = running.get(mode);
  assert.ok(found);
  return found;
}

for (const mode of modes) {
  for (const address of addresses) {
    test(`dig understands answers over UDP (${mode}, ${address})`, async () => {
      const text = await debianDig(serverOf(mode), address, 'cart.shop.svc.cluster.local', '+short');
      assert.equal(text, '10.96.0.1\n');
    });

    test(`dig understands answers over TCP, several on one connection (${mode}, ${address})`, async () => {
      const text = await debianDig(
        serverOf(mode),
        address,
        '+tcp',
        '+keepopen',
        '+short',
        'cart.shop.svc.cluster.local',
        '_http._tcp.cart.shop.svc.cluster.local',
        'SRV',
        '-x',
        '10.96.0.1',
      );
      assert.equal(text, '10.96.0.1\n0 100 80 cart.shop.svc.cluster.local.\ncart.shop.svc.cluster.local.\n');
    });

    test(`an answer that does not fit a datagram comes over TCP (${mode}, ${address})`, async () => {
      const cut = await debianDig(serverOf(mode), address, 'many.shop.svc.cluster.local', '+ignore');
      assert.match(cut, /flags: qr aa tc rd/);
      assert.match(cut, /udp: 1232/);
      const whole = await debianDig(serverOf(mode), address, 'many.shop.svc.cluster.local', '+short');
      assert.equal(whole.trim().split('\n').length, 200);
    });
  }

  test(`NXDOMAIN carries the SOA (${mode})`, async () => {
    const text = await debianDig(serverOf(mode), '127.0.0.1', 'nope.shop.svc.cluster.local');
    assert.match(text, /status: NXDOMAIN/);
    assert.match(text, /cluster\.local\.\s+5\s+IN\s+SOA\s+ns\.dns\.cluster\.local\. hostmaster\.cluster\.local\./);
  });

  test(`an unknown EDNS version is refused in EDNS (${mode})`, async () => {
    const text = await debianDig(serverOf(mode), '127.0.0.1', 'cart.shop.svc.cluster.local', '+edns=1', '+noednsneg');
    assert.match(text, /status: BADVERS/);
    assert.match(text, /EDNS: version: 0/);
  });

  test(`a change is answered at once (${mode})`, async () => {
    const { test: objects, dns } = serverOf(mode);
    const server = dns.listening[0] ?? { address: '', port: 0 };
    objects.service.apply([{ type: 'ADDED', object: dnsService({ clusterIPs: ['10.96.0.77'] }, 'fresh') }]);
    const { message } = await dig({ name: 'fresh.shop.svc.cluster.local', server });
    assert.deepEqual(summary(message), ['NOERROR AA', 'fresh.shop.svc.cluster.local. 5 A 10.96.0.77']);
  });
}

test('fairlead dig asks over UDP, then TCP when the answer was cut, and prints like dig', async () => {
  const server = serverOf('batch').dns.listening[0] ?? { address: '', port: 0 };
  const short = await dig({ name: 'cart.shop.svc.cluster.local', server });
  assert.equal(short.transport, 'udp');
  const text = formatDig(short, server).join('\n');
  assert.match(text, /status: NOERROR/);
  assert.match(text, /cart\.shop\.svc\.cluster\.local\.\t5\tIN\tA\t10\.96\.0\.1/);
  const long = await dig({ name: 'many.shop.svc.cluster.local', server });
  assert.equal(long.transport, 'tcp');
  assert.equal(long.message.answers.length, 200);
  const reverse = await dig({ name: '10.96.0.1', server });
  assert.deepEqual(summary(reverse.message).slice(1), ['1.0.96.10.in-addr.arpa. 5 PTR cart.shop.svc.cluster.local.']);
  await assert.rejects(dig({ name: 'x', type: 'NONSENSE', server }), RangeError);
});

test('requests on one TCP connection may come in any pieces', async () => {
  const { port = 0 } = serverOf('batch').dns.listening[0] ?? {};
  const question = { name: '\x04cart\x04shop\x03svc\x07cluster\x05local\0', type: typeNumbers.A, class: classIn };
  const requests = Array.from({ length: 50 }, (_, id) => {
    const packet = writeMessage({ id, flags: flags.RD, questions: [question] });
    return Buffer.concat([Uint8Array.of(0, packet.length), packet]);
  });
  const stream = Buffer.concat(requests);
  const socket = connect(port, '127.0.0.1');
  const ids: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const frames = createFrames((packet) => {
    const message = readMessage(packet);
    assert.ok(!('malformed' in message));
    ids.push(message.id);
    if (ids.length === requests.length) resolve();
  });
  socket.on('data', (chunk: Buffer) => frames(chunk));
  for (let at = 0; at < stream.length; at += 7) socket.write(stream.subarray(at, at + 7));
  await promise;
  assert.deepEqual(
    ids,
    requests.map((_, id) => id),
  );
  socket.destroy();
});

test('a restart answers from the last known state while the API is away, and says so', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'fairlead-dns-'));
  try {
    const first = await start({ dataDir });
    fill(first.test);
    await first.dns.synced;
    await first.dns[Symbol.asyncDispose]();

    const second = await start({ dataDir });
    const known = await debianDig(second, '127.0.0.1', 'cart.shop.svc.cluster.local');
    assert.match(known, /A\s+10\.96\.0\.1/);
    assert.match(known, /EDE: 3/);
    const unknown = await debianDig(second, '127.0.0.1', 'nope.shop.svc.cluster.local');
    assert.match(unknown, /status: SERVFAIL/);

    // The API comes back without the Service: it is gone, whatever the disk said.
    second.test.sync();
    await second.dns.synced;
    assert.match(await debianDig(second, '127.0.0.1', 'cart.shop.svc.cluster.local'), /status: NXDOMAIN/);
    await second.dns[Symbol.asyncDispose]();
  } finally {
    await rm(dataDir, { recursive: true });
  }
});

test('an upstream that sends our own questions back to us ends in SERVFAIL, not in a storm', async () => {
  const relay = createSocket('udp4');
  relay.bind(0, '127.0.0.1');
  await once(relay, 'listening');
  const looping = await start({ upstreams: [{ address: '127.0.0.1', port: relay.address().port }] });
  let relayed = 0;
  relay.on('message', (packet) => {
    // Our answers come back too, in the end; they must not count as questions.
    if (((packet[2] ?? 0) & 0x80) === 0) relayed += 1;
    relay.send(packet, looping.dns.listening[0]?.port ?? 0, '127.0.0.1');
  });
  const text = await debianDig(looping, '127.0.0.1', 'example.com', '+time=8');
  assert.match(text, /status: SERVFAIL/);
  assert.match(text, /EDE: 22/);
  const asked = relayed;
  assert.ok(asked <= 4, `${asked} questions came back`);
  await debianDig(looping, '127.0.0.1', 'other.example.com', '+time=8');
  assert.equal(relayed, asked, 'an upstream that was found looping is not asked any more');
  await looping.dns[Symbol.asyncDispose]();
  relay.close();
});

test('our own addresses are left out of the upstream servers', async () => {
  const where = serverOf('batch').dns.listening[0] ?? { address: '', port: 0 };
  const own = await start({
    listen: [{ address: '127.0.0.2', port: where.port }],
    upstreams: [{ ...where, address: '127.0.0.2' }],
  });
  const { message } = await dig({ name: 'example.com', server: { ...where, address: '127.0.0.2' } });
  assert.equal(message.rcode, rcodes.SERVFAIL);
  await own.dns[Symbol.asyncDispose]();
});

test('an address that is taken is an error that names it, and nothing stays open', async () => {
  const taken = serverOf('batch').dns.listening[0] ?? { address: '', port: 0 };
  await assert.rejects(start({ listen: [{ address: '127.0.0.1', port: 0 }, taken] }), { code: 'EADDRINUSE' });
});
