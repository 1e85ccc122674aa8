import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, request as httpsRequest } from 'node:https';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { notFound } from '../../api/errors.ts';
import { openPki } from '../../apiserver/pki/pki.ts';
import { silentLogger } from '../../observe/log.ts';
import type { ServerBackend } from './backend.ts';
import { startAgentServer } from './https-server.ts';
import type { AgentServer } from './https-server.ts';
import { dataFrame, readFrame, synStreamFrame } from './spdy/frames.ts';
import { createHeaderCodec } from './spdy/headers.ts';

/** Echoes what it gets in upper case; `command` of the request decides the rest. */
const backend: ServerBackend = {
  logs: async ({ pod, tailLines }) => {
    if (pod === 'nope') throw notFound({ group: '', plural: 'pods' }, pod);
    return (async function* () {
      yield Buffer.from(`last ${tailLines}\n`);
    })();
  },
  exec: async ({ command }, { stdin, stdout, stderr, tty, resizes }) => {
    if (command[0] === 'size') {
      for await (const { width, height } of resizes) {
        stdout?.write(`${width}x${height} ${tty}`);
        break;
      }
    }
    if (stdin !== undefined) for await (const chunk of stdin) stdout?.write(String(chunk).toUpperCase());
    stderr?.write('done');
    return { exitCode: command[0] === 'fail' ? 7 : 0 };
  },
  attach: async (_request, { stdout }) => void stdout?.write('attached'),
  connectPort: async (_pod, port) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return socket;
  },
};

const folder = mkdtempSync(join(tmpdir(), 'fairlead-agent-server-'));
let server: AgentServer;
let client: { ca: string; cert: string; key: string };

before(async () => {
  const pki = await openPki({ folder, dnsNames: ['localhost'], addresses: ['127.0.0.1'], now: new Date() });
  const { certificate, key } = pki.serving;
  server = await startAgentServer({
    backend,
    listen: { address: '127.0.0.1', port: 0 },
    tls: { certificate, key, clientAuthority: pki.authority },
    logger: silentLogger,
    now: Date.now,
  });
  const admin = await pki.client('admin', { commonName: 'admin', organizations: ['system:masters'] });
  client = { ca: pki.authority, cert: admin.certificate, key: admin.key };
});

after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const target = (path: string): object => ({
  host: '127.0.0.1',
  port: server.address.port,
  path,
  ...client,
  agent: false,
});

async function fetchText(path: string): Promise<{ code: number; body: string }> {
  const outgoing = get(target(path));
  const [response] = await once(outgoing, 'response');
  return { code: response.statusCode, body: await text(response) };
}

test('nobody gets in without a certificate of the authority', async () => {
  const outgoing = get({ host: '127.0.0.1', port: server.address.port, path: '/healthz', ca: client.ca, agent: false });
  await assert.rejects(once(outgoing, 'response'));
});

test('logs are sent, and a refusal is a Status', async () => {
  assert.deepEqual(await fetchText('/containerLogs/a/b/c?tailLines=3'), { code: 200, body: 'last 3\n' });
  const { code, body } = await fetchText('/containerLogs/a/nope/c');
  assert.equal(code, 404);
  assert.equal(JSON.parse(body).reason, 'NotFound');
});

interface ChannelResult {
  readonly output: Readonly<Record<number, string>>;
  readonly status: {
    readonly status: string;
    readonly details?: { readonly causes: readonly { readonly message: string }[] };
  };
}

async function overWebSocket(path: string, send: (socket: WebSocket) => void): Promise<ChannelResult> {
  const socket = new WebSocket(`wss://127.0.0.1:${server.address.port}${path}`, ['v5.channel.k8s.io'], client);
  const output: Record<number, string> = {};
  socket.on('message', (data: Buffer) => {
    output[data[0] ?? -1] = (output[data[0] ?? -1] ?? '') + data.subarray(1).toString();
  });
  await once(socket, 'open');
  send(socket);
  await once(socket, 'close');
  return { output, status: JSON.parse(output[3] ?? '{}') };
}

test('exec over a WebSocket carries input, outputs and the exit code', async () => {
  const { output, status } = await overWebSocket('/exec/a/b/c?command=fail&stdin=1&stdout=1&stderr=1', (socket) => {
    socket.send(Buffer.concat([Buffer.of(0), Buffer.from('hello')]));
    socket.send(Buffer.of(255, 0));
  });
  assert.equal(output[1], 'HELLO');
  assert.equal(output[2], 'done');
  assert.equal(status.status, 'Failure');
  assert.equal(status.details?.causes[0]?.message, '7');
});

test('a terminal is resized over a WebSocket', async () => {
  const { output } = await overWebSocket('/exec/a/b/c?command=size&stdout=1&tty=1', (socket) => {
    socket.send(Buffer.concat([Buffer.of(4), Buffer.from('{"Width":80,"Height":24}')]));
  });
  assert.equal(output[1], '80x24 true');
});

async function upgradeToSpdy(path: string, protocol: string): Promise<Duplex> {
  const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocol };
  const outgoing = httpsRequest({ ...target(path), method: 'POST', headers });
  outgoing.end();
  const [response, socket] = await once(outgoing, 'upgrade');
  assert.equal(response.headers['x-stream-protocol-version'], protocol);
  return socket;
}

/** A client's view of a SPDY connection: what came on each stream, until the server closes or `until` holds. */
async function readSpdy(
  socket: Duplex,
  until: (output: Record<number, string>) => boolean,
): Promise<Record<number, string>> {
  const output: Record<number, string> = {};
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk]);
    for (let read = readFrame(rest); read !== undefined; read = readFrame(rest)) {
      const { frame } = read;
      if (frame.type === 'data') output[frame.stream] = (output[frame.stream] ?? '') + frame.data.toString();
      rest = rest.subarray(read.length);
    }
    if (until(output)) break;
  }
  return output;
}

test('exec over SPDY carries input, outputs and the exit code', async () => {
  const socket = await upgradeToSpdy('/exec/a/b/c?command=fail&stdin=1&stdout=1&stderr=1', 'v4.channel.k8s.io');
  using codec = createHeaderCodec();
  for (const [index, streamtype] of ['error', 'stdin', 'stdout', 'stderr'].entries()) {
    socket.write(synStreamFrame(index * 2 + 1, await codec.encode({ streamtype })));
  }
  socket.write(dataFrame(3, Buffer.from('hello'), true));
  const output = await readSpdy(socket, () => false);
  assert.equal(output[5], 'HELLO');
  assert.equal(output[7], 'done');
  assert.equal(JSON.parse(output[1] ?? '').details.causes[0].message, '7');
});

test('port-forward carries three megabytes each way, and says when nobody listens', async () => {
  const big = 'x'.repeat(3_000_000);
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const { port } = echo.address() as AddressInfo;
  const socket = await upgradeToSpdy('/portForward/a/b', 'portforward.k8s.io');
  using codec = createHeaderCodec();
  const open = async (id: number, port: number, requestid: string): Promise<void> => {
    for (const [offset, streamtype] of ['error', 'data'].entries()) {
      const headers = { streamtype, port: String(port), requestid };
      socket.write(synStreamFrame(id + offset * 2, await codec.encode(headers)));
    }
  };
  await open(1, 1, '0');
  await open(5, port, '1');
  for (let at = 0; at < big.length; at += 60_000) socket.write(dataFrame(7, Buffer.from(big.slice(at, at + 60_000))));
  socket.write(dataFrame(7, Buffer.alloc(0), true));
  const output = await readSpdy(socket, (sofar) => sofar[7]?.length === big.length && sofar[1] !== undefined);
  assert.equal(output[7], big);
  assert.match(output[1] ?? '', /error forwarding port 1: .*ECONNREFUSED/);
  echo.close();
});
