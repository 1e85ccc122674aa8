import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { Client } from '../../client/client.ts';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { silentLogger } from '../../observe/log.ts';
import { createMetrics } from '../../observe/metrics.ts';
import type { Dns } from '../config.ts';
import { questionOf } from '../dig.ts';
import { dnsNamespace, dnsService, dnsSlice, headlessService, testCaches } from '../fixtures.ts';
import type { TestCaches } from '../fixtures.ts';
import { startDns } from '../run.ts';
import { clusterServer } from '../settings/cluster-server.ts';
import type { TransferSettings, TsigKey } from '../settings/settings.ts';
import { readMessage } from '../wire/message.ts';
import { formatName } from '../wire/names.ts';
import { soaNumbers } from '../wire/rdata.ts';
import { flags, rcodes } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';

const run = promisify(execFile);
const key: TsigKey = { name: 'away', algorithm: 'hmac-sha256', secret: 'c2VjcmV0IHNlY3JldCBzZWNyZXQ=' };
const fileZone =
  '$ORIGIN example.\n@ 60 IN SOA ns hostmaster 7 3600 600 86400 60\n@ 60 IN NS ns\nns 60 IN A 192.0.2.1\n';

let dns: Dns;
let objects: TestCaches;
let folder: string;

/** One who hears of changes, and answers from the second time on. */
const hearer = createSocket('udp4');
const heard: { readonly name: string; readonly serial: number; readonly hasAa: boolean }[] = [];

before(async () => {
  isolateNetwork();
  folder = await mkdtemp(join(tmpdir(), 'transfer-'));
  await writeFile(join(folder, 'zone'), fileZone);
  hearer.bind(0, '127.0.0.1');
  await once(hearer, 'listening');
  hearer.on('message', (packet, { port, address }) => {
    const message = readMessage(packet);
    assert.ok(!('malformed' in message));
    const [soa] = message.answers;
    assert.ok(soa);
    heard.push({
      name: formatName(soa.name),
      serial: soaNumbers(soa.rdata).serial,
      hasAa: (message.flags & flags.AA) !== 0,
    });
    if (heard.length === 1) return;
    packet.writeUInt16BE(message.flags | flags.QR, 2);
    hearer.send(packet, port, address);
  });
  objects = testCaches({} as Client);
  const listen = [{ address: '127.0.0.1', port: 0 }];
  const settings = clusterServer({ listen, cidrs: ['10.96.0.0/16'] });
  const transfer: TransferSettings[] = [
    { zones: ['cluster.local'], clients: [], notify: [hearer.address()], keys: [key] },
    { zones: ['96.10.in-addr.arpa', 'example'], clients: ['127.0.0.0/8'], notify: [], keys: [] },
  ];
  const files = [{ path: join(folder, 'zone'), zones: ['example'], reloadSeconds: 0 }];
  dns = await startDns({
    client: {} as Client,
    caches: objects.caches,
    settings: { ...settings, servers: settings.servers.map((server) => ({ ...server, transfer, files })) },
    logger: silentLogger,
    metrics: createMetrics(),
  });
  objects.namespace.apply([{ type: 'ADDED', object: dnsNamespace() }]);
  objects.service.apply([
    { type: 'ADDED', object: dnsService() },
    { type: 'ADDED', object: dnsService({ type: 'ExternalName', externalName: 'www.example.com' }, 'alias') },
    { type: 'ADDED', object: headlessService({}, 'many') },
  ]);
  const hosts = Array.from({ length: 5000 }, (_, index) => `10.244.${index >> 8}.${index & 255}`);
  const labels = { 'kubernetes.io/service-name': 'many' };
  objects.slice.apply([
    { type: 'ADDED', object: dnsSlice(hosts, { metadata: { name: 'many-1', namespace: 'shop', labels } }) },
  ]);
  objects.sync();
  await dns.synced;
});

after(async () => {
  await dns[Symbol.asyncDispose]();
  hearer.close();
  await rm(folder, { recursive: true });
});

/** Debian's dig: another implementation of transfers and signatures. */
async function dig(...args: string[]): Promise<string> {
  const port = String(dns.listening[0]?.port);
  const { stdout } = await run('dig', ['@127.0.0.1', '-p', port, '+tries=1', '+time=3', ...args], {
    maxBuffer: 64 << 20,
  });
  return stdout;
}

const signed = ['-y', `${key.algorithm}:${key.name}:${key.secret}`];

function recordsIn(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith(';') && !line.includes('TSIG'));
}

test('a signed AXFR gives the whole zone in several signed messages, from SOA to SOA', async () => {
  const text = await dig('AXFR', 'cluster.local', ...signed);
  const records = recordsIn(text);
  assert.match(records[0] ?? '', /^cluster\.local\.\s+5\s+IN\s+SOA/);
  assert.equal(records.at(-1), records[0]);
  const has = (pattern: RegExp): number => records.filter((line) => pattern.test(line)).length;
  assert.equal(has(/^cart\.shop\.svc\.cluster\.local\.\s+5\s+IN\s+A\s+10\.96\.0\.1$/), 1);
  assert.equal(has(/^_http\._tcp\.cart\.shop\.svc\S+\s+5\s+IN\s+SRV\s+0 100 80 cart/), 1);
  assert.equal(has(/^alias\.shop\.svc\S+\s+5\s+IN\s+CNAME\s+www\.example\.com\.$/), 1);
  assert.equal(has(/^many\.shop\.svc\S+\s+5\s+IN\s+A\s/), 5000);
  assert.equal(has(/^10-244-\S+\.many\.shop\.svc\S+\s+5\s+IN\s+A\s/), 5000);
  const size = /XFR size: (\d+) records \(messages (\d+), bytes (\d+)\)/.exec(text);
  assert.equal(Number(size?.[1]), records.length);
  const perMessage = Number(size?.[3]) / Number(size?.[2]);
  assert.ok(perMessage > 14_000 && perMessage < 65_535, `${perMessage} bytes in a message`);
  assert.doesNotMatch(text, /verify|failed/i);
});

const refusals: readonly (readonly [what: string, args: readonly string[], answer: RegExp])[] = [
  ['without a key', ['AXFR', 'cluster.local'], /Transfer failed/],
  ['with an unknown key', ['SOA', 'cluster.local', '-y', `hmac-sha256:other:${key.secret}`], /NOTAUTH[^]*BADKEY/],
  ['with another algorithm', ['SOA', 'cluster.local', '-y', `hmac-sha512:away:${key.secret}`], /NOTAUTH[^]*BADKEY/],
  ['with a wrong secret', ['SOA', 'cluster.local', '-y', 'hmac-sha256:away:d3Jvbmc='], /NOTAUTH[^]*BADSIG/],
  ['with a wrong time', ['SOA', 'cluster.local', ...signed, '+fuzztime=1000'], /NOTAUTH[^]*BADTIME/],
  ['of a name that is no zone', ['AXFR', 'nothing.example'], /Transfer failed/],
  ['of a zone of others', ['AXFR', 'elsewhere'], /Transfer failed/],
];
for (const [what, args, answer] of refusals) {
  test(`no transfer ${what}`, async () => assert.match(await dig(...args), answer));
}

test('signed ordinary questions get signed answers, over UDP and TCP', async () => {
  for (const transport of ['+notcp', '+tcp']) {
    const text = await dig('cart.shop.svc.cluster.local', transport, ...signed);
    assert.match(text, /status: NOERROR[^]*10\.96\.0\.1[^]*TSIG\s+hmac-sha256\.[^]*NOERROR/);
    assert.doesNotMatch(text, /verify|failed/i);
  }
  // An answer that is cut for its signature is still a signed one.
  const cut = await dig('many.shop.svc.cluster.local', '+notcp', '+ignore', ...signed);
  assert.match(cut, /flags: qr aa tc[^]*TSIG/);
  assert.doesNotMatch(cut, /verify|failed/i);
});

test('IXFR gives one SOA to who has the zone, and the whole zone to others', async () => {
  const [soa = ''] = recordsIn(await dig('SOA', 'cluster.local'));
  const serial = Number(soa.split(/\s+/)[6]);
  assert.equal(recordsIn(await dig(`IXFR=${serial}`, 'cluster.local', '+tcp', ...signed)).length, 1);
  assert.equal(recordsIn(await dig(`IXFR=${serial + 1}`, 'cluster.local', '+tcp', ...signed)).length, 1);
  assert.ok(recordsIn(await dig(`IXFR=${serial - 1}`, 'cluster.local', '+tcp', ...signed)).length > 10_000);
  assert.equal(recordsIn(await dig(`IXFR=${serial - 1}`, 'cluster.local', '+notcp', ...signed)).length, 1);
});

test('reverse zones and zone files go to the clients that may have them', async () => {
  const reverse = recordsIn(await dig('AXFR', '96.10.in-addr.arpa'));
  assert.match(
    reverse.join('\n'),
    /^1\.0\.96\.10\.in-addr\.arpa\.\s+5\s+IN\s+PTR\s+cart\.shop\.svc\.cluster\.local\.$/m,
  );
  const file = recordsIn(await dig('AXFR', 'example'));
  assert.deepEqual(
    file.map((line) => line.split(/\s+/)[3]),
    ['SOA', 'NS', 'A', 'SOA'],
  );
});

test('AXFR over UDP is refused', async () => {
  const socket = createSocket('udp4');
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(3000) });
  const question = writeMessage({ id: 7, flags: 0, questions: [questionOf('example', 'AXFR')] });
  socket.send(question, dns.listening[0]?.port ?? 0, '127.0.0.1');
  const message = readMessage((await answer)[0]);
  assert.equal('rcode' in message && message.rcode, rcodes.REFUSED);
  socket.close();
});

test('a client that does not read keeps nothing but its own connection waiting', async () => {
  const socket = connect(dns.listening[0]?.port ?? 0, '127.0.0.1').pause();
  await once(socket, 'connect');
  const question = writeMessage({ id: 1, flags: 0, questions: [questionOf('96.10.in-addr.arpa', 'AXFR')] });
  const framed = Buffer.concat([Uint8Array.of(0, question.length), question]);
  for (let count = 0; count < 100; count += 1) socket.write(framed);
  assert.match(await dig('cart.shop.svc.cluster.local', '+short'), /10\.96\.0\.1/);
  socket.destroy();
});

test('others are told of a change until they answer, and once of changes that come together', async () => {
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await once(hearer, 'message', { signal: AbortSignal.timeout(20_000) });
  };
  await until(() => heard.length >= 2);
  // The first one was not answered: it came again, the same.
  assert.deepEqual(heard[1], heard[0]);
  assert.deepEqual([heard[0]?.name, heard[0]?.hasAa], ['cluster.local.', true]);
  const before = heard.length;
  for (const [index, clusterIP] of ['10.96.0.2', '10.96.0.3'].entries()) {
    const service = dnsService({ clusterIP, clusterIPs: [clusterIP] });
    const object = { ...service, metadata: { ...service.metadata, resourceVersion: String(index + 10) } };
    objects.service.apply([{ type: 'MODIFIED', object }]);
  }
  await until(() => heard.length > before);
  assert.ok((heard.at(-1)?.serial ?? 0) > (heard[0]?.serial ?? 0));
  assert.match(
    recordsIn(await dig('AXFR', 'cluster.local', ...signed)).join('\n'),
    /^cart\.\S+\s+5\s+IN\s+A\s+10\.96\.0\.3$/m,
  );
});
