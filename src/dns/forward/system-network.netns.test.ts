import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { questionOf } from '../dig.ts';
import { formatName } from '../wire/names.ts';
import { readMessage } from '../wire/message.ts';
import { flags } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';
import { requestFor } from './exchange.ts';
import { createSystemNetwork } from './system-network.ts';

before(() => isolateNetwork());

/** An upstream that answers all but names that start with `silent`, with the ports that it was asked from. */
async function upstream() {
  const socket = createSocket('udp4');
  const ports: number[] = [];
  socket.on('message', (packet, { port, address }) => {
    ports.push(port);
    const message = readMessage(packet);
    const [question] = 'malformed' in message ? [] : message.questions;
    if ('malformed' in message || question === undefined || formatName(question.name).startsWith('silent')) return;
    socket.send(writeMessage({ id: message.id, flags: flags.QR, questions: [question] }), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const where = { address: '127.0.0.1', port: socket.address().port };
  return { where, ports, [Symbol.dispose]: () => void socket.close() };
}

const options = { dnssecOk: false, checkingDisabled: false };
const asked = (name: string) => requestFor(questionOf(name, 'A'), options);

test('questions to one server share ports, but no port is used for more than 64 of them', async () => {
  using server = await upstream();
  const { udp } = createSystemNetwork();
  const requests = Array.from({ length: 1000 }, (_, index) => asked(`n${index}.example`));
  // Not all at once: a queue of the kernel holds only so many.
  for (let at = 0; at < requests.length; at += 50) {
    const some = requests.slice(at, at + 50);
    const answers = await Promise.all(some.map((request) => udp(server.where, request, { timeoutMs: 5000 })));
    assert.deepEqual(
      answers.map(({ id }) => id),
      some.map(({ id }) => id),
    );
  }
  const counts = new Map<number, number>();
  for (const port of server.ports) counts.set(port, (counts.get(port) ?? 0) + 1);
  assert.ok(Math.max(...counts.values()) <= 64, String([...counts]));
  assert.ok(counts.size < 100, 'they are shared');
});

test('a port is not used for longer than a second', async () => {
  using server = await upstream();
  const { udp } = createSystemNetwork();
  const startMs = performance.now();
  while (performance.now() - startMs < 1500) await udp(server.where, asked('www.example'), { timeoutMs: 5000 });
  assert.ok(new Set(server.ports).size > 1);
});

test('questions with one id are asked from several ports', async () => {
  using server = await upstream();
  const { udp } = createSystemNetwork();
  const one = asked('one.example');
  const other = { ...asked('two.example'), id: one.id };
  Buffer.from(other.packet.buffer, other.packet.byteOffset).writeUInt16BE(one.id, 0);
  await Promise.all([one, other].map((request) => udp(server.where, request, { timeoutMs: 5000 })));
  assert.equal(new Set(server.ports).size, 2);
});

test('a question that nobody answers ends at its time, one given up at once, and the others are answered', async () => {
  using server = await upstream();
  const { udp } = createSystemNetwork();
  const stop = new AbortController();
  const silent = udp(server.where, asked('silent.example'), { timeoutMs: 100 });
  const givenUp = udp(server.where, asked('silent2.example'), { timeoutMs: 60_000, signal: stop.signal });
  const good = udp(server.where, asked('www.example'), { timeoutMs: 5000 });
  const ends = [assert.rejects(silent, /did not answer within 100 ms/), assert.rejects(givenUp, /stopped/), good];
  stop.abort();
  await Promise.all(ends);
});

test('a closed port of the server ends all questions at once', async () => {
  const server = await upstream();
  server[Symbol.dispose]();
  const { udp } = createSystemNetwork();
  await assert.rejects(udp(server.where, asked('www.example'), { timeoutMs: 60_000 }), /ECONNREFUSED/);
});
