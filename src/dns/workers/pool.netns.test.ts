import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { silentLogger } from '../../observe/log.ts';
import { questionOf } from '../dig.ts';
import { dnsNamespace, dnsService, summary, testResponder, type TestResponderOptions } from '../fixtures.ts';
import { defaultCluster } from '../settings/cluster-server.ts';
import { readMessage } from '../wire/message.ts';
import { flags } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';
import type { Order } from './messages.ts';
import { startThread, WorkerPool } from './pool.ts';

before(() => isolateNetwork());

function cartAt(address: string) {
  return dnsService({ clusterIP: address, clusterIPs: [address] });
}

const start: TestResponderOptions = {
  changes: [
    { type: 'namespace', new: dnsNamespace() },
    { type: 'service', new: cartAt('10.96.0.1') },
  ],
};

/** An asker with sockets that the kernel spreads over the threads. */
class Askers implements Disposable {
  readonly #sockets;
  readonly #port: number;
  #asked = 0;

  constructor(port: number, count: number) {
    this.#port = port;
    this.#sockets = Array.from({ length: count }, () => createSocket('udp4'));
  }

  /** What each socket is answered; asks again after five seconds, as every asker does. */
  ask(name: string, type = 'A'): Promise<string[]> {
    this.#asked += 1;
    return Promise.all(this.#sockets.map((socket) => this.#askFrom(socket, this.#asked, name, type)));
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.close();
  }

  async #askFrom(socket: ReturnType<typeof createSocket>, id: number, name: string, type: string): Promise<string> {
    const packet = writeMessage({ id, flags: flags.RD, questions: [questionOf(name, type)] });
    for (;;) {
      const heard = once(socket, 'message');
      socket.send(packet, this.#port, '127.0.0.1');
      const answer = await Promise.race([heard, delay(5000, undefined, { ref: false })]);
      if (answer === undefined) continue;
      const [bytes] = answer as [Buffer];
      const message = readMessage(bytes);
      assert.ok(!('malformed' in message));
      // A late answer to what was asked twice.
      if (message.id !== id) continue;
      return summary(message).join(' | ');
    }
  }
}

async function setUp(count: number) {
  const { responder, records, metrics } = testResponder(start);
  const passed: number[] = [];
  const answer = responder.answer.bind(responder);
  const counted: typeof responder = {
    ...responder,
    answer(packet, client) {
      passed.push(packet.length);
      return answer(packet, client);
    },
  };
  const stack = new AsyncDisposableStack();
  const pool = stack.use(new WorkerPool(count, silentLogger));
  const listener = stack.use(pool.listen({ address: '127.0.0.1', port: 0 }, counted));
  const askers = stack.use(new Askers(listener.port, 16));
  return { records, askers, passed, metrics, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const cart = 'cart.shop.svc.cluster.local';

test('threads answer what is ready, and what is not becomes ready by being asked', async () => {
  await using it = await setUp(2);
  const all = (answer: string): string[] => Array.from({ length: 16 }, () => answer);
  assert.deepEqual(await it.askers.ask(cart), all('NOERROR AA | cart.shop.svc.cluster.local. 5 A 10.96.0.1'));
  assert.deepEqual(await it.askers.ask(cart, 'AAAA'), all('NOERROR AA | auth cluster.local. SOA'));
  assert.deepEqual(await it.askers.ask('a.com.shop.svc.cluster.local'), all('NXDOMAIN AA | auth cluster.local. SOA'));
  it.passed.length = 0;
  await it.askers.ask(cart);
  await it.askers.ask(cart, 'AAAA');
  await it.askers.ask('b.com.shop.svc.cluster.local');
  assert.deepEqual(it.passed, [], 'nothing of this reached the main thread');
  await it.askers.ask('other.example');
  assert.equal(it.passed.length, 16, 'but this did');
});

test('no thread gives an answer that was replaced, nor denies a name that has come', async () => {
  await using it = await setUp(3);
  const late = dnsService({ clusterIP: '10.96.7.7', clusterIPs: ['10.96.7.7'] }, 'late');
  for (let round = 1; round <= 150; round += 1) {
    const address = `10.96.1.${round}`;
    const isThere = round % 2 === 0;
    const change = isThere ? { new: late } : { old: late };
    it.records.apply(
      [
        { type: 'service', new: cartAt(address) },
        { type: 'service', ...change },
      ],
      1_700_000_000 + round,
    );
    const [carts, lates] = [await it.askers.ask(cart), await it.askers.ask('late.shop.svc.cluster.local')];
    for (const answer of carts) assert.match(answer, new RegExp(` ${address}$`), `round ${round}`);
    for (const answer of lates) assert.match(answer, isThere ? /10\.96\.7\.7$/ : /^NXDOMAIN/, `round ${round}`);
  }
});

test('the main thread goes on with the sockets of a thread that has ended', async () => {
  const { responder } = testResponder(start);
  const threads: ReturnType<typeof startThread>[] = [];
  await using pool = new WorkerPool(2, silentLogger, (name) => {
    const thread = startThread(name);
    threads.push(thread);
    return thread;
  });
  await using listener = pool.listen({ address: '127.0.0.1', port: 0 }, responder);
  using askers = new Askers(listener.port, 16);
  await askers.ask(cart);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  threads[0]?.postMessage({ type: 'end' });
  await once(threads[0] ?? assert.fail('no thread'), 'exit');
  for (const answer of await askers.ask(cart)) assert.match(answer, /10\.96\.0\.1$/);
});

/** A thread that hears of what is in force only a while later. */
function slowToBecome(name: string): ReturnType<typeof startThread> {
  const thread = startThread(name);
  const post = thread.postMessage.bind(thread);
  thread.postMessage = (message: Order) => {
    if (message.type === 'become') setTimeout(() => post(message), 100);
    else post(message);
  };
  return thread;
}

test('once it is renewed no thread gives an answer of before, however late the threads hear of it', async () => {
  const { responder } = testResponder(start);
  const visibility = [{ action: 'hide', from: [], to: ['shop'] } as const];
  const other = testResponder({ ...start, settings: { cluster: defaultCluster, visibility } });
  await using pool = new WorkerPool(2, silentLogger, slowToBecome);
  await using listener = pool.listen({ address: '127.0.0.1', port: 0 }, responder);
  using askers = new Askers(listener.port, 16);
  await askers.ask(cart);
  assert.match((await askers.ask(cart)).join(), /10\.96\.0\.1/);
  responder.become(other.servers);
  await listener.renew();
  for (const answer of await askers.ask(cart)) assert.match(answer, /^NXDOMAIN/);
});

test('a renewal does not wait for a thread that has ended', async () => {
  const { responder } = testResponder(start);
  const threads: ReturnType<typeof startThread>[] = [];
  await using pool = new WorkerPool(1, silentLogger, (name) => {
    const thread = slowToBecome(name);
    threads.push(thread);
    return thread;
  });
  await using listener = pool.listen({ address: '127.0.0.1', port: 0 }, responder);
  const renewed = listener.renew();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  threads[0]?.postMessage({ type: 'end' });
  await renewed;
  await listener.renew();
});

test('what threads answer is counted as what the main one answers is', async () => {
  await using it = await setUp(2);
  await it.askers.ask(cart);
  for (let round = 0; round < 3; round += 1) await it.askers.ask(cart);
  await it.askers.ask(cart, 'AAAA');
  const sum = (metric: string): number =>
    it.metrics
      .render()
      .split('\n')
      .filter((line) => line.startsWith(metric))
      .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
  assert.equal(
    sum('coredns_dns_requests_total{server="dns://127.0.0.1:53",zone=".",view="",proto="udp",family="1",type="A"}'),
    64,
  );
  assert.equal(sum('coredns_dns_requests_total'), 80);
  assert.equal(sum('coredns_dns_responses_total'), 80);
  assert.equal(sum('coredns_dns_response_size_bytes_count'), 80);
  assert.equal(sum('coredns_dns_request_size_bytes_sum'), 80 * (12 + cart.length + 2 + 4));
});
