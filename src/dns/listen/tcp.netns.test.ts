import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { dnsService, testResponder } from '../fixtures.ts';
import type { Resolver } from '../forward/resolver.ts';
import { readMessage } from '../wire/message.ts';
import { parseName } from '../wire/names.ts';
import { flags } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';
import { createFrames } from './tcp-frames.ts';
import { listenTcp } from './tcp.ts';

before(() => isolateNetwork());

const where = { address: '127.0.0.1', port: 0 };

function request(id: number, name: string): Buffer {
  const packet = writeMessage({
    id,
    flags: flags.RD,
    questions: [{ name: parseName(name) ?? '\0', type: 1, class: 1 }],
  });
  return Buffer.concat([Uint8Array.of(0, packet.length), packet]);
}

test('a connection without requests is closed', async () => {
  await using server = await listenTcp(where, testResponder().responder, { idleMs: 20 });
  const socket = connect(server.port, server.address);
  await once(socket, 'close');
});

test('connections beyond the limit are closed', async () => {
  await using server = await listenTcp(where, testResponder().responder, { connections: 1 });
  const first = connect(server.port, server.address);
  await once(first, 'connect');
  const second = connect(server.port, server.address);
  second.on('error', () => undefined);
  await once(second, 'close');
  assert.equal(first.destroyed, false);
  first.destroy();
});

test('answers come as they are ready, and all of them after the asker has finished sending', async () => {
  const slow = Promise.withResolvers<void>();
  const resolver: Resolver = {
    resolve: () => slow.promise.then(() => ({ rcode: 0, answers: [], authorities: [], from: 'test' })),
    isOwnProbe: () => false,
    noteGiven: () => undefined,
    findLoops: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
  const { responder } = testResponder({ changes: [{ type: 'service', new: dnsService() }], resolver });
  await using server = await listenTcp(where, responder, { pending: 2 });
  const socket = connect({ port: server.port, host: server.address, allowHalfOpen: true });
  const ids: number[] = [];
  const frames = createFrames((packet) => {
    const message = readMessage(packet);
    assert.ok(!('malformed' in message));
    ids.push(message.id);
    if (message.id === 2) slow.resolve();
  });
  socket.on('data', (chunk: Buffer) => frames(chunk));
  socket.end(
    Buffer.concat([request(1, 'example.com'), request(2, 'cart.shop.svc.cluster.local'), request(3, 'b.example')]),
  );
  await once(socket, 'end');
  assert.deepEqual(ids, [2, 1, 3]);
  socket.destroy();
});

test('frames of any size are put together', () => {
  const messages: string[] = [];
  const frames = createFrames((message) => messages.push(message.toString()));
  const stream = Buffer.concat(
    ['', 'a', 'bc', 'x'.repeat(300)].map((text) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(text.length);
      return Buffer.concat([length, Buffer.from(text)]);
    }),
  );
  for (const byte of stream) frames(Buffer.of(byte));
  assert.deepEqual(messages, ['', 'a', 'bc', 'x'.repeat(300)]);
});
