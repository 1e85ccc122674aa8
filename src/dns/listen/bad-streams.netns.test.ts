import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { questionOf } from '../dig.ts';
import { dnsNamespace, dnsService, testResponder } from '../fixtures.ts';
import { flags } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';
import type { Listener } from './listener.ts';
import { createFrames } from './tcp-frames.ts';
import { listenTcp } from './tcp.ts';

/** Connections that no client in its right mind makes. */
before(() => isolateNetwork());

const where = { address: '127.0.0.1', port: 0 };

function responder(): ReturnType<typeof testResponder>['responder'] {
  return testResponder({
    changes: [
      { type: 'namespace', new: dnsNamespace() },
      { type: 'service', new: dnsService() },
    ],
  }).responder;
}

function framed(bytes: Uint8Array, length = bytes.length): Buffer {
  return Buffer.concat([Buffer.of(length >> 8, length & 255), bytes]);
}

function question(id: number): Buffer {
  return framed(writeMessage({ id, flags: flags.RD, questions: [questionOf('cart.shop.svc.cluster.local', 'A')] }));
}

async function open({ address, port }: Listener, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ host: address, port, localAddress });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Ids of the answers that come until the connection has given so many, or ends. */
async function idsOf(socket: Socket, count: number): Promise<number[]> {
  const ids: number[] = [];
  const frames = createFrames((packet) => ids.push(packet.readUInt16BE(0)));
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    frames(chunk);
    if (ids.length >= count) break;
  }
  return ids;
}

async function isAnswered(server: Listener): Promise<void> {
  const socket = await open(server);
  socket.write(question(99));
  assert.deepEqual(await idsOf(socket, 1), [99]);
  socket.destroy();
}

const writes: readonly { readonly input: string; readonly bytes: Buffer; readonly ids: readonly number[] }[] = [
  { input: 'messages of no bytes', bytes: Buffer.concat([Buffer.alloc(20), question(1)]), ids: [1] },
  { input: 'a message shorter than a header', bytes: Buffer.concat([framed(Buffer.alloc(5)), question(1)]), ids: [1] },
  { input: 'an answer', bytes: Buffer.concat([framed(Buffer.alloc(12, 0x80)), question(1)]), ids: [1] },
  {
    input: 'the longest message, of garbage',
    bytes: Buffer.concat([framed(Buffer.alloc(65_535, 0x11)), question(1)]),
    ids: [0x1111, 1],
  },
  {
    input: 'less than the length says, and the end',
    bytes: Buffer.concat([question(1), framed(Buffer.alloc(5), 500)]),
    ids: [1],
  },
  { input: 'half a length, and the end', bytes: Buffer.concat([question(1), Buffer.of(0)]), ids: [1] },
];

for (const { input, bytes, ids } of writes) {
  test(`a client sends ${input}: what is a question is answered`, async () => {
    await using server = await listenTcp(where, responder());
    const socket = connect({ host: server.address, port: server.port, allowHalfOpen: true });
    socket.end(bytes);
    assert.deepEqual(await idsOf(socket, Number.POSITIVE_INFINITY), ids);
    socket.destroy();
  });
}

test('questions byte by byte are answered', async () => {
  await using server = await listenTcp(where, responder());
  const socket = await open(server);
  socket.setNoDelay(true);
  for (const byte of Buffer.concat([question(1), question(2)])) {
    await new Promise<void>((resolve) => void socket.write(Buffer.of(byte), () => resolve()));
  }
  assert.deepEqual(await idsOf(socket, 2), [1, 2]);
  socket.destroy();
});

test('a message that never ends is not waited for, though bytes of it keep coming', async () => {
  await using server = await listenTcp(where, responder(), { idleMs: 200 });
  const socket = await open(server);
  const closed = once(socket, 'close');
  socket.resume();
  socket.write(Buffer.of(255, 255));
  const dribble = setInterval(() => socket.write(Buffer.of(0)), 20);
  await closed;
  clearInterval(dribble);
});

test('questions that come again and again keep a connection, each in pieces', async () => {
  await using server = await listenTcp(where, responder(), { idleMs: 200 });
  const socket = await open(server);
  const started = performance.now();
  for (let id = 1; performance.now() - started < 500; id += 1) {
    const bytes = question(id);
    socket.write(bytes.subarray(0, 9));
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.write(bytes.subarray(9));
    assert.deepEqual(await idsOf(socket, 1), [id]);
  }
  socket.destroy();
});

test('ten thousand questions and a reset hurt nobody', async () => {
  await using server = await listenTcp(where, responder());
  const socket = await open(server);
  socket.write(Buffer.concat(Array.from({ length: 10_000 }, (_, id) => question(id))));
  await once(socket, 'readable');
  socket.resetAndDestroy();
  await isAnswered(server);
});

test('a client that asks and never reads is not answered without end', async () => {
  await using server = await listenTcp(where, responder(), { idleMs: 300 });
  const socket = await open(server);
  const closed = once(socket, 'close');
  socket.pause();
  const more = setInterval(() => socket.write(Buffer.concat(Array<Buffer>(1000).fill(question(1)))), 1);
  await isAnswered(server);
  socket.resume();
  clearInterval(more);
  socket.end();
  await closed;
});

test('a thousand idle connections of ten addresses leave others their answers', async () => {
  await using server = await listenTcp(where, responder());
  const idle = await Promise.all(
    Array.from({ length: 1000 }, (_, index) => open(server, `127.0.0.${2 + (index % 10)}`)),
  );
  await isAnswered(server);
  for (const socket of idle) socket.destroy();
});
