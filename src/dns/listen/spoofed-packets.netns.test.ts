import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { sendUdpPackets } from '../../linux/udp-packet.ts';
import { silentLogger } from '../../observe/log.ts';
import { dig, questionOf } from '../dig.ts';
import { dnsNamespace, dnsService, testResponder } from '../fixtures.ts';
import type { Responder } from '../responder.ts';
import { flags } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';
import { WorkerPool } from '../workers/pool.ts';
import type { DatagramListener, ListenAddress } from './listener.ts';
import { listenUdpBatch } from './udp-batch.ts';
import { listenUdpDgram } from './udp-dgram.ts';

/** Packets that say they come from where they do not, or from where nobody can be answered. */
before(() => isolateNetwork());

const cart = 'cart.shop.svc.cluster.local';
const [first, second] = [
  { address: '127.0.0.1', port: 53 },
  { address: '127.0.0.2', port: 53 },
];

type Listen = (where: ListenAddress, responder: Responder) => DatagramListener | Promise<DatagramListener>;

const ways: readonly (readonly [title: string, open: (stack: AsyncDisposableStack) => Listen])[] = [
  ['batches', () => listenUdpBatch],
  ['plain sockets', () => listenUdpDgram],
  [
    'threads',
    (stack) => {
      const pool = stack.use(new WorkerPool(2, silentLogger));
      return (where, responder) => pool.listen(where, responder);
    },
  ],
];

/** Two servers, that have answered and so have their answers ready. */
async function servers(open: (stack: AsyncDisposableStack) => Listen): Promise<AsyncDisposableStack> {
  const stack = new AsyncDisposableStack();
  const listen = open(stack);
  for (const where of [first, second]) {
    const { responder } = testResponder({
      changes: [
        { type: 'namespace', new: dnsNamespace() },
        { type: 'service', new: dnsService() },
      ],
    });
    stack.use(await listen(where, responder));
  }
  for (let round = 0; round < 3; round += 1) await bothAnswer();
  return stack;
}

async function bothAnswer(): Promise<void> {
  for (const server of [first, second]) {
    const { message } = await dig({ name: cart, server });
    assert.equal(message.answers.length, 1);
  }
}

function question(name: string): Buffer {
  return writeMessage({ id: 7, flags: flags.RD, questions: [questionOf(name, 'A')] });
}

/** A question with its answer ready, one without, one that is none, and one that is cut. */
const datagrams = [question(cart), question('www.example.com'), Buffer.alloc(12), question(cart).subarray(0, 20)];

/** Datagrams that sockets of this network namespace have got so far (RFC 4113). */
function received(): number {
  const [, values = ''] = [...readFileSync('/proc/net/snmp', 'utf8').matchAll(/^Udp: (.*)$/gm)].map(([, text]) => text);
  return Number(values.split(' ')[0]);
}

for (const [title, open] of ways) {
  for (const [from, whose] of [
    [second, 'the other server'],
    [first, 'the server itself'],
  ] as const) {
    test(`questions that seem to come from ${whose} are answered once, and answers never (${title})`, async () => {
      await using _ = await servers(open);
      const before = received();
      sendUdpPackets(from, first, datagrams);
      await bothAnswer();
      // Four and their four answers, which come to a server; then two questions and two answers.
      while (received() - before < 12) await new Promise(setImmediate);
      await bothAnswer();
      assert.equal(received() - before, 16);
    });
  }

  test(`a question from port 0 keeps nobody else from an answer (${title})`, async () => {
    await using _ = await servers(open);
    for (let round = 0; round < 20; round += 1) {
      sendUdpPackets({ address: '127.0.0.3', port: 0 }, first, datagrams);
      await bothAnswer();
    }
  });

  test(`a question from port 53 of another address is answered there (${title})`, async () => {
    await using _ = await servers(open);
    const asker = createSocket('udp4').bind(53, '127.0.0.3');
    await once(asker, 'listening');
    asker.send(question(cart), first.port, first.address);
    const [answer] = (await once(asker, 'message')) as [Buffer];
    assert.ok((answer.readUInt16BE(2) & flags.QR) !== 0 && answer.readUInt16BE(6) === 1);
    asker.close();
  });
}
