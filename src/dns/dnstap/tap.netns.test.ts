import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Client } from '../../client/client.ts';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { silentLogger } from '../../observe/log.ts';
import { createMetrics } from '../../observe/metrics.ts';
import { dig, questionOf } from '../dig.ts';
import { askRaw, dnsNamespace, dnsService, testCaches, testResponder } from '../fixtures.ts';
import { startDns } from '../run.ts';
import { bareSettings, emptyServer } from '../settings/cluster-server.ts';
import { readMessage } from '../wire/message.ts';
import { formatName } from '../wire/names.ts';
import { writeMessage } from '../wire/writer.ts';
import { openTap } from './tap.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-tap-'));
before(() => isolateNetwork());
after(() => rmSync(folder, { recursive: true }));

/** Fields of a Protocol Buffers message: numbers, or bytes. */
function fieldsOf(message: Buffer): Map<number, number | Buffer> {
  const fields = new Map<number, number | Buffer>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = message[at] ?? assert.fail('cut');
      at += 1;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const number = tag >> 3;
    if ((tag & 7) === 0) fields.set(number, varint());
    else if ((tag & 7) === 5) {
      fields.set(number, message.readUInt32LE(at));
      at += 4;
    } else {
      const length = varint();
      fields.set(number, message.subarray(at, at + length));
      at += length;
    }
  }
  return fields;
}

/** The message of a frame: type 5 is a question, 6 an answer. */
function messageOf(frame: Buffer): Map<number, number | Buffer> {
  const envelope = fieldsOf(frame);
  assert.equal(String(envelope.get(1)), 'ns1');
  return fieldsOf(envelope.get(14) as Buffer);
}

/** A collector: accepts, and gives every data frame to `onFrame`. */
function collector(
  path: string,
  onFrame: (frame: Buffer) => void,
): ReturnType<typeof createServer> & { sockets: Socket[] } {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    let received = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (;;) {
        if (received.length < 8) return;
        const length = received.readUInt32BE(0);
        const isControl = length === 0;
        const end = isControl ? 8 + received.readUInt32BE(4) : 4 + length;
        if (received.length < end) return;
        const frame = received.subarray(isControl ? 8 : 4, end);
        received = received.subarray(end);
        if (!isControl) onFrame(frame);
        // READY is answered with ACCEPT and the same content type.
        else if (frame.readUInt32BE(0) === 4) {
          const body = Buffer.from(frame);
          body.writeUInt32BE(1, 0);
          const head = Buffer.alloc(8);
          head.writeUInt32BE(body.length, 4);
          socket.write(Buffer.concat([head, body]));
        }
      }
    });
  });
  server.listen(path);
  return Object.assign(server, { sockets });
}

test('a collector is told of questions and answers, also after it was away', async () => {
  const path = join(folder, 'tap.sock');
  const frames: Buffer[] = [];
  let wake: () => void = () => undefined;
  const until = async (count: number): Promise<void> => {
    while (frames.length < count) await new Promise<void>((resolve) => (wake = resolve));
  };
  const open = (): ReturnType<typeof collector> =>
    collector(path, (frame) => {
      frames.push(frame);
      wake();
    });
  const first = open();
  await once(first, 'listening');
  using tap = openTap({ to: path, identity: 'ns1', version: 'test' }, silentLogger, createMetrics());
  const changes = [
    { type: 'namespace', new: dnsNamespace() },
    { type: 'service', new: dnsService() },
  ] as const;
  const { responder } = testResponder({ changes, tap });
  const query = writeMessage({ id: 7, flags: 0, questions: [questionOf('cart.shop.svc.cluster.local', 'A')] });
  const response = await askRaw(responder, query, 'tcp');
  await until(2);
  const [asked, answered] = frames.map(messageOf);
  assert.deepEqual([asked?.get(1), answered?.get(1)], [5, 6]);
  assert.deepEqual(asked?.get(4), Buffer.from([192, 0, 2, 7]));
  assert.equal(asked?.get(3), 2);
  assert.deepEqual(asked?.get(10), Buffer.from(query));
  assert.deepEqual(answered?.get(14), response);
  assert.ok(!('malformed' in readMessage(answered?.get(14) as Buffer)));

  first.close();
  for (const socket of first.sockets) socket.destroy();
  await once(first, 'close');
  const second = open();
  // What is written before the loss is noticed is lost: the next questions are not.
  while (frames.length < 4) {
    await askRaw(responder, query);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  second.close();
  for (const socket of second.sockets) socket.destroy();
});

test('the collector of a server is told of its questions alone, whichever server comes first at the address', async () => {
  const path = join(folder, 'second.sock');
  const frames: Buffer[] = [];
  const told = Promise.withResolvers<void>();
  const server = collector(path, (frame) => void (frames.push(frame) === 2 && told.resolve()));
  await once(server, 'listening');
  const listen = [{ transport: 'dns', address: '127.0.0.1', port: 5300 }] as const;
  const first = { ...emptyServer, listen };
  const dnstap = { to: path, identity: 'ns1', version: 'test' };
  const lines = ['192.0.2.1 www.example.com'];
  const hosts = { zones: ['.'], file: undefined, lines, ttlSeconds: 60, reverse: false, fallthrough: [] };
  const second = { ...first, zones: ['example.com'], hosts, dnstap };
  const noClient = {} as Client;
  const config = { client: noClient, caches: testCaches(noClient).caches, logger: silentLogger };
  const settings = { ...bareSettings, servers: [first, second] };
  const dns = await startDns({ ...config, settings, metrics: createMetrics() });
  const [at] = listen;
  await dig({ name: 'www.example.net', server: at });
  assert.equal((await dig({ name: 'www.example.com', server: at })).message.answers.length, 1);
  await told.promise;
  const query = readMessage(messageOf(frames[0] ?? assert.fail()).get(10) as Buffer);
  assert.ok(!('malformed' in query));
  assert.equal(formatName(query.questions[0]?.name ?? ''), 'www.example.com.');
  await dns[Symbol.asyncDispose]();
  server.close();
  for (const socket of server.sockets) socket.destroy();
});
