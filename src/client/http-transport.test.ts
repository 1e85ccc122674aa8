import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ConfigMap } from '../api/core/config-map.ts';
import { ApiError } from '../api/errors.ts';
import { TransportError } from './client.ts';
import { httpTransport } from './http-transport.ts';
import type { Connection } from './http-transport.ts';
import { readText } from './read-body.ts';
import { createClient } from './rest-client.ts';

async function serve(answer: http.RequestListener, connection: Partial<Connection> = {}) {
  const server = http.createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const transport = httpTransport({ server: `http://127.0.0.1:${port}/prefix`, ...connection });
  const dispose = async () => {
    await transport[Symbol.asyncDispose]();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { server, transport, client: createClient(transport), [Symbol.asyncDispose]: dispose };
}

test('a request carries its path, headers, body and token, and the answer comes back', async () => {
  await using served = await serve(
    async (request, response) => {
      const body = await readText(request);
      response
        .setHeader('x-seen', `${request.method} ${request.url} ${request.headers.authorization}`)
        .end(`got ${body}`);
    },
    { token: async () => 'secret' },
  );
  const { status, headers, body } = await served.transport.request({ method: 'POST', path: '/api', body: 'hello' });
  assert.equal(status, 200);
  assert.equal(headers['x-seen'], 'POST /prefix/api Bearer secret');
  assert.equal(await readText(body), 'got hello');
});

test('a connection is kept and used again', async () => {
  await using served = await serve((request, response) => response.end(String(request.socket.remotePort)));
  const ask = async () => readText((await served.transport.request({ method: 'GET', path: '/' })).body);
  assert.equal(await ask(), await ask());
});

test('a kept connection that the server closed meanwhile costs nothing but a second try', async () => {
  let requests = 0;
  await using served = await serve((request, response) => {
    // The second request meets a connection that is cut when it arrives, as after the server's idle time-out.
    if (++requests === 2) request.socket.destroy();
    else response.end('ok');
  });
  const ask = async () => readText((await served.transport.request({ method: 'GET', path: '/' })).body);
  assert.equal(await ask(), 'ok');
  assert.equal(await ask(), 'ok');
  assert.equal(requests, 3);
});

test('no answer is a TransportError, and so is an abort', async () => {
  const nobody = httpTransport({ server: 'http://127.0.0.1:1' });
  await assert.rejects(nobody.request({ method: 'GET', path: '/' }), (error) => {
    return error instanceof TransportError && !error.aborted && /^GET \/: .*ECONNREFUSED/.test(error.message);
  });
  await using served = await serve(() => {});
  const signal = AbortSignal.timeout(5);
  const aborted = served.transport.request({ method: 'GET', path: '/', signal });
  await assert.rejects(aborted, (error) => error instanceof TransportError && error.aborted);
});

test('an answer that is no Status still says what happened', async () => {
  await using served = await serve((_request, response) => response.writeHead(502).end('bad gateway'));
  await assert.rejects(served.client.get(ConfigMap, 'a', { namespace: 'x' }), (error) => {
    return error instanceof ApiError && error.code === 502 && /HTTP 502: bad gateway/.test(error.message);
  });
});

test('a watch gives events in the groups in which they arrive, across chunk borders', async () => {
  const line = (name: string) => JSON.stringify({ type: 'ADDED', object: { metadata: { name } } });
  const whole = `${line('a')}\n${line('b')}\n${line('c')}\n`;
  const border = whole.length - 20;
  await using served = await serve(async (_request, response) => {
    response.write(whole.slice(0, border));
    await new Promise((resolve) => setImmediate(resolve));
    response.end(whole.slice(border));
  });
  const groups: (string | undefined)[][] = [];
  const signal = new AbortController().signal;
  for await (const batch of served.client.watchBatches(ConfigMap, { signal })) {
    groups.push(batch.map(({ object }) => object.metadata.name));
    assert.equal(batch[0]?.object.kind, 'ConfigMap');
  }
  assert.deepEqual(groups.flat(), ['a', 'b', 'c']);
});

test('an ERROR event is thrown with its status', async () => {
  const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
  await using served = await serve((_request, response) =>
    response.end(JSON.stringify({ type: 'ERROR', object: status })),
  );
  const events = served.client.watch(ConfigMap, { signal: new AbortController().signal });
  await assert.rejects(
    async () => {
      for await (const event of events) assert.fail(event.type);
    },
    (error) => error instanceof ApiError && error.code === 410,
  );
});
