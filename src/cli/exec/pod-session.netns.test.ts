import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { isolateNetwork } from '../../linux/namespaces.ts';
import type { Input } from '../command.ts';
import { testIo } from '../testing/test-io.ts';
import { runPodSession } from './pod-session.ts';

/** What the far side does with a session: its messages arrive as `[channel, text]`. */
type Script = (socket: WebSocket, messages: AsyncIterable<readonly [number, string]>) => Promise<void>;

const http = createServer((_request, response) => {
  const status = { kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404, message: 'pods "x" not found' };
  response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify(status));
});
let server = '';

before(async () => {
  isolateNetwork();
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  server = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
after(() => http.close());

function serve(script: Script): Disposable {
  const upgrades = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] ?? false });
  const upgrade = (
    ...[request, socket, head]: Parameters<typeof upgrades.handleUpgrade> extends [...infer A, unknown] ? A : never
  ) => upgrades.handleUpgrade(request, socket, head, (open) => void script(open, messagesOf(open)));
  http.on('upgrade', upgrade);
  return { [Symbol.dispose]: () => void http.off('upgrade', upgrade) };
}

async function* messagesOf(socket: WebSocket): AsyncGenerator<readonly [number, string]> {
  const queue: (readonly [number, string])[] = [];
  let wake = () => {};
  socket.on('message', (data: Buffer) => {
    queue.push([data[0] ?? -1, data.subarray(1).toString()]);
    wake();
  });
  for (;;) {
    const next = queue.shift();
    if (next !== undefined) yield next;
    else await new Promise<void>((resolve) => (wake = resolve));
  }
}

const send = (socket: WebSocket, channel: number, text: string) =>
  socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));

const success = JSON.stringify({ status: 'Success' });
const exitWith = (code: number) =>
  JSON.stringify({
    status: 'Failure',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  });

async function run(options: { readonly stdin?: Input; readonly terminal?: boolean } = {}) {
  const io = testIo();
  const { stdout, stderr, signal } = io;
  const { stdin, terminal = false } = options;
  const session = { credentials: { server }, path: '/exec', stdin, stdout, stderr, terminal, signal };
  const code = await runPodSession(session);
  return { code, ...io.written };
}

async function* typed(...texts: readonly string[]) {
  yield* texts;
}

test('output comes on its channels, and success is 0', async () => {
  using _ = serve(async (socket) => {
    send(socket, 1, 'out');
    send(socket, 2, 'err');
    send(socket, 3, success);
  });
  assert.deepEqual(await run(), { code: 0, stdout: 'out', stderr: 'err' });
});

test('the exit code of the program is passed on', async () => {
  using _ = serve(async (socket) => send(socket, 3, exitWith(42)));
  assert.equal((await run()).code, 42);
});

test('a program that the container does not have ends with 127, one that cannot run with 126', async () => {
  for (const [reason, code] of [
    ['executable file not found in $PATH', 127],
    ['permission denied', 126],
  ] as const) {
    const message = `Internal error occurred: unable to start container process: exec: "x": ${reason}`;
    using _ = serve(async (socket) => send(socket, 3, JSON.stringify({ status: 'Failure', message })));
    await assert.rejects(run(), { message, code });
  }
});

test('input arrives and its end is told', async () => {
  using _ = serve(async (socket, messages) => {
    let text = '';
    for await (const [channel, payload] of messages) {
      if (channel === 0) text += payload;
      if (channel === 255) break;
    }
    send(socket, 1, text.toUpperCase());
    send(socket, 3, success);
  });
  assert.equal((await run({ stdin: typed('he', 'llo') })).stdout, 'HELLO');
});

test('a terminal is raw for the session and tells its size', async () => {
  using _ = serve(async (socket, messages) => {
    for await (const [channel, payload] of messages) {
      if (channel !== 4) continue;
      send(socket, 1, payload);
      send(socket, 3, success);
      return;
    }
  });
  const raw: boolean[] = [];
  const stdin: Input = { isTTY: true, setRawMode: (on) => raw.push(on), [Symbol.asyncIterator]: () => typed() };
  assert.equal((await run({ stdin, terminal: true })).stdout, '{"Width":80,"Height":24}');
  assert.deepEqual(raw, [true, false]);
});

test('an ordinary answer to the upgrade is an API error', async () => {
  await assert.rejects(run(), { name: 'ApiError', message: 'pods "x" not found' });
});

test('a connection that breaks off is a failure', async () => {
  using _ = serve(async (socket) => socket.terminate());
  await assert.rejects(run(), { message: /the connection ended before the program did/ });
});
