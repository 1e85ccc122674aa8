import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { connect as connectTls, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createAuthority, issueCertificate, type KeyPair } from '../../apiserver/pki/certificate.ts';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { silentLogger } from '../../observe/log.ts';
import { QueryCounts } from '../metrics.ts';
import { createMetrics } from '../../observe/metrics.ts';
import { questionOf } from '../dig.ts';
import { dnsNamespace, dnsService, testIdentity, testResponder } from '../fixtures.ts';
import { requestFor } from '../forward/exchange.ts';
import { httpsExchange } from '../forward/https.ts';
import { streamExchange } from '../forward/stream.ts';
import { createServer } from '../servers.ts';
import { emptyServer } from '../settings/cluster-server.ts';
import type { ListenSettings, UpstreamSettings } from '../settings/settings.ts';
import { readMessage } from '../wire/message.ts';
import { OpenListeners } from './open-listeners.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-dns-'));
const name = 'cart.shop.svc.cluster.local';
let authority: KeyPair;
let listeners: OpenListeners;

before(async () => {
  isolateNetwork();
  const [notBefore, notAfter] = [new Date(Date.now() - 60_000), new Date(Date.now() + 3_600_000)];
  authority = await createAuthority('dns-test', notBefore, notAfter);
  const pair = await issueCertificate(authority, {
    commonName: 'dns.example',
    dnsNames: ['dns.example'],
    addresses: ['127.0.0.1'],
    usage: 'server',
    notBefore,
    notAfter,
  });
  const file = (at: string, text: string): string => {
    writeFileSync(join(folder, at), text);
    return join(folder, at);
  };
  const tls = {
    certificate: file('tls.crt', pair.certificate),
    key: file('tls.key', pair.key),
    clientAuthority: undefined,
  };
  const { cluster } = testResponder({
    changes: [
      { type: 'namespace', new: dnsNamespace() },
      { type: 'service', new: dnsService() },
    ],
  });
  const metrics = createMetrics();
  const parts = {
    cluster,
    external: undefined,
    clientPods: undefined,
    hasIpv6: () => true,
    resolver: undefined,
    logger: silentLogger,
    metrics,
    now: Date.now,
  };
  const transfer = [{ zones: ['.'], clients: ['127.0.0.1/32'], notify: [], keys: [] }];
  const server = createServer({ ...emptyServer, tls, transfer }, parts);
  const where = (transport: ListenSettings['transport']): ListenSettings => ({
    transport,
    address: '127.0.0.1',
    port: 0,
  });
  listeners = new OpenListeners({
    logger: silentLogger,
    counts: new QueryCounts(metrics),
    identity: testIdentity,
    workers: 0,
    reusePort: false,
  });
  await listeners.become([
    { where: where('tls'), servers: [server] },
    { where: where('https'), servers: [server] },
  ]);
});

after(async () => {
  await listeners[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function upstream(transport: 'tls' | 'https'): UpstreamSettings {
  const found = listeners.listening.find((each) => each.transport === transport) ?? assert.fail(transport);
  return { ...found, serverName: 'dns.example' };
}

test('a certificate that no authority of ours signed is not accepted, over TLS and HTTPS', async () => {
  const request = requestFor(questionOf(name, 'A'), { dnssecOk: false, checkingDisabled: false });
  for (const exchange of [streamExchange(upstream('tls')), httpsExchange(upstream('https'))]) {
    await assert.rejects(exchange.exchange(request, { timeoutMs: 5000 }), /certificate|issuer/);
    exchange[Symbol.dispose]();
  }
});

/** Passes connections on to a listener; from the first one nothing comes back any more once `isHole` says so. */
async function relayTo(port: number, isHole: () => boolean) {
  const sockets: Socket[] = [];
  let connections = 0;
  const relay = createTcpServer((socket) => {
    const isFirst = (connections += 1) === 1;
    const other = connectTcp({ host: '127.0.0.1', port });
    sockets.push(socket, other);
    for (const each of [socket, other]) each.on('error', () => undefined);
    socket.pipe(other);
    other.on('data', (chunk) => void (isFirst && isHole() ? undefined : socket.write(chunk)));
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  return {
    port: (relay.address() as AddressInfo).port,
    connections: () => connections,
    [Symbol.dispose]() {
      relay.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

for (const [transport, make] of [
  ['tls', streamExchange],
  ['https', httpsExchange],
] as const) {
  test(`a ${transport} upstream is asked over a new connection when nothing comes over the old one any more`, async () => {
    const trusted = getCACertificates('default');
    setDefaultCACertificates([authority.certificate]);
    try {
      let isHole = false;
      const settings = upstream(transport);
      using relay = await relayTo(settings.port, () => isHole);
      using asking = make({ ...settings, port: relay.port });
      const ask = (timeoutMs: number) =>
        asking.exchange(requestFor(questionOf(name, 'A'), { dnssecOk: false, checkingDisabled: false }), { timeoutMs });
      assert.equal((await ask(5000)).answers.length, 1);
      assert.equal((await ask(5000)).answers.length, 1);
      assert.equal(relay.connections(), 1);
      isHole = true;
      await assert.rejects(ask(100), /no answer within 100 ms/);
      assert.equal((await ask(5000)).answers.length, 1);
      assert.equal(relay.connections(), 2);
    } finally {
      setDefaultCACertificates(trusted);
    }
  });
}

test('a zone is given away over TLS', async () => {
  const { port } = upstream('tls');
  const args = ['+tls', '@127.0.0.1', '-p', String(port), 'cluster.local', 'AXFR'];
  const { stdout } = await promisify(execFile)('dig', args);
  assert.match(stdout, /SOA[^]*cart\.shop\.svc\.cluster\.local\.\s+5\s+IN\s+A\s+10\.96\.0\.1\n[^]*SOA[^]*\(TLS\)/);
});

test('DNS over TLS answers many questions on one connection', async () => {
  const { address, port } = upstream('tls');
  const socket = connectTls({
    host: address,
    port,
    servername: 'dns.example',
    ca: authority.certificate,
    ALPNProtocols: ['dot'],
  });
  await once(socket, 'secureConnect');
  assert.equal(socket.alpnProtocol, 'dot');
  const requests = Array.from({ length: 20 }, () =>
    requestFor(questionOf(name, 'A'), { dnssecOk: false, checkingDisabled: false }),
  );
  for (const { packet } of requests) socket.write(Buffer.concat([Uint8Array.of(0, packet.length), packet]));
  let received = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, chunk]);
    const length = 2 + received.readUInt16BE(0);
    if (received.length >= length * requests.length) break;
  }
  const message = readMessage(received.subarray(2, 2 + received.readUInt16BE(0)));
  assert.ok(!('malformed' in message));
  assert.deepEqual([...(message.answers[0]?.rdata ?? [])], [10, 96, 0, 1]);
});

/** Status, headers and body of a request to the HTTPS listener. */
async function http(headers: Record<string, string | number>, body?: Uint8Array) {
  const { address, port } = upstream('https');
  const session = connectHttp2(`https://${address}:${port}`, { servername: 'dns.example', ca: authority.certificate });
  const stream = session.request({ ':path': '/dns-query', ...headers });
  stream.end(body);
  const [answer] = await once(stream, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  session.destroy();
  return { status: answer[':status'], headers: answer, body: Buffer.concat(chunks) };
}

const { packet } = requestFor(questionOf(name, 'A'), { dnssecOk: false, checkingDisabled: false });
const post = { ':method': 'POST', 'content-type': 'application/dns-message' };

test('DNS over HTTPS answers GET and POST, and says how long an answer is good', async () => {
  const text = Buffer.from(packet).toString('base64url');
  for (const answer of [await http(post, packet), await http({ ':path': `/dns-query?dns=${text}` })]) {
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/dns-message');
    assert.equal(answer.headers['cache-control'], 'max-age=5');
    const message = readMessage(answer.body);
    assert.ok(!('malformed' in message));
    assert.equal(message.answers.length, 1);
  }
});

const mistakes: readonly [
  title: string,
  headers: Record<string, string | number>,
  body: Uint8Array | undefined,
  status: number,
][] = [
  ['another path', { ':path': '/' }, undefined, 404],
  ['no question', { ':path': '/dns-query' }, undefined, 400],
  ['a question that is no base64', { ':path': '/dns-query?dns=a+b' }, undefined, 400],
  ['a question that is too long', { ':path': `/dns-query?dns=${'A'.repeat(6000)}` }, undefined, 414],
  ['another method', { ':method': 'PUT' }, new Uint8Array(1), 405],
  ['another type', { ':method': 'POST', 'content-type': 'text/plain' }, packet, 415],
  ['a body that is too long', post, new Uint8Array(5000), 413],
  ['a body that is no question', post, new Uint8Array(5), 400],
];

for (const [title, headers, body, status] of mistakes) {
  test(`DNS over HTTPS with ${title} is ${status}`, async () => {
    assert.equal((await http(headers, body)).status, status);
  });
}
