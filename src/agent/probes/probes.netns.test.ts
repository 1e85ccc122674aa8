import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createServer as createGrpcServer } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { after, before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { probeGrpc } from './grpc.ts';
import { probeHttp } from './http.ts';
import { resolvePort } from './ports.ts';
import { startProber } from './prober.ts';
import { probeTcp } from './tcp.ts';

isolateNetwork();

const host = '127.0.0.1';
let port = 0;
let grpcPort = 0;
const servers: Server[] = [];

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

before(async () => {
  port = await listen(
    createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://x');
      if (pathname === '/slow') return;
      if (pathname === '/headers')
        return void response.end(`${request.headers['user-agent']} ${request.headers['x-a']}`);
      if (pathname === '/loop') return void response.writeHead(302, { location: '/loop' }).end();
      if (pathname === '/moved') return void response.writeHead(302, { location: '/ok' }).end();
      if (pathname === '/away') return void response.writeHead(302, { location: 'http://other.example/' }).end();
      response.writeHead(Number(pathname.slice(1)) || 200).end('body');
    }),
  );
  grpcPort = await listen(
    createGrpcServer().on('stream', (stream: ServerHttp2Stream) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const service = Buffer.concat(chunks).subarray(7).toString();
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.from([0, 0, 0, 0, 2, 8, service === 'down' ? 2 : 1]));
      });
    }),
  );
});

after(() => {
  for (const server of servers) server.close();
});

const httpCases: readonly [string, boolean, RegExp][] = [
  ['/ok', true, /^body$/],
  ['/399', true, /^body$/],
  ['/404', false, /^HTTP probe failed with statuscode: 404$/],
  ['/500', false, /statuscode: 500$/],
  ['/moved', true, /^body$/],
  ['/away', true, /^Probe terminated redirects/],
  ['/loop', false, /stopped after 10 redirects$/],
  ['/slow', false, /context deadline exceeded/],
  ['/headers', true, /^kube-probe\/1 b$/],
];

for (const [path, isOk, output] of httpCases) {
  test(`an HTTP probe of ${path} ${isOk ? 'passes' : 'fails'}`, async () => {
    const headers = [{ name: 'X-A', value: 'b' }];
    const found = await probeHttp({
      scheme: 'http',
      host,
      port,
      path,
      headers,
      timeoutMs: 200,
      userAgent: 'kube-probe/1',
    });
    assert.equal(found.isOk, isOk);
    assert.match(found.output, output);
  });
}

test('a TCP probe passes when somebody listens, and says what it found otherwise', async () => {
  assert.equal((await probeTcp(host, port, 1000)).isOk, true);
  assert.deepEqual(await probeTcp(host, 1, 1000), {
    isOk: false,
    output: 'dial tcp 127.0.0.1:1: connect: connection refused',
  });
});

test('a gRPC probe asks for the health of a service', async () => {
  assert.equal((await probeGrpc(host, grpcPort, '', 1000, 'x')).isOk, true);
  assert.deepEqual(await probeGrpc(host, grpcPort, 'down', 1000, 'x'), {
    isOk: false,
    output: 'service unhealthy (responded with "NOT_SERVING")',
  });
  assert.equal((await probeGrpc(host, 1, '', 1000, 'x')).isOk, false);
});

test('ports are numbers, names of the container, or numbers as text', () => {
  const container = { name: 'c', ports: [{ name: 'http', containerPort: 8080 }] };
  assert.equal(resolvePort(container, 81), 81);
  assert.equal(resolvePort(container, 'http'), 8080);
  assert.equal(resolvePort(container, '82'), 82);
  assert.throws(() => resolvePort(container, 'nope'), /couldn't find port: nope/);
});

test('an eager probe is tried again soon, and its first failures count for nothing', async () => {
  const results: boolean[] = [];
  let runs = 0;
  const done = Promise.withResolvers<void>();
  const prober = startProber({
    probe: { periodSeconds: 100 },
    initial: 'unknown',
    isEager: true,
    startedMs: Date.now(),
    now: Date.now,
    run: async () => ({ isOk: ++runs === 3, output: '' }),
    onResult(outcome) {
      results.push(outcome.isOk);
      done.resolve();
    },
  });
  await done.promise;
  prober.stop();
  assert.deepEqual(results, [true]);
  assert.equal(runs, 3);
});
