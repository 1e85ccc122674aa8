import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { Frontends, type World } from './contract/frontends.ts';
import { targetPort } from './contract/server.ts';
import type { Dataplane } from './dataplane.ts';
import { proxyMetrics } from './metrics.ts';
import { Programmer } from './programmer.ts';
import { ProxyHealth } from './proxy-health.ts';
import { createUserspacePlane } from './userspace/plane.ts';

/** Loopback addresses of this process alone. */
const block = 1 + (process.pid % 250);
const pod = `127.244.${block}.21`;
const world: World = {
  family: 'IPv4',
  pods: { pod1: pod, pod2: pod, pod3: pod },
  services: [`127.96.${block}.20`, `127.96.${block}.21`, `127.96.${block}.22`],
  unallocated: `127.96.${block}.200`,
  external: '203.0.113.80',
  node: '127.0.0.1',
  sources: { outside: '127.0.0.1', client: '127.0.0.1' },
};
const make = new Frontends(world, 8190);
const network = { podCidrs: [], clusterCidrs: [], serviceCidrs: [], nodePortAddresses: [] };
const callerCount = 20;

/** Connects many times, says so in `connected`, and tells how many were answered. */
const callers = `
  const { connect } = require('node:net');
  const { workerData: { address, port, count, connected }, parentPort } = require('node:worker_threads');
  let isMade = 0, isAnswered = 0, isOver = 0;
  const over = () => ++isOver === count && parentPort.postMessage(isAnswered);
  for (let at = 0; at < count; at += 1) {
    const socket = connect(port, address, () => {
      if (++isMade < count) return;
      Atomics.store(connected, 0, 1);
      Atomics.notify(connected, 0);
    });
    socket.once('data', () => { isAnswered += 1; socket.end(); });
    socket.on('error', () => undefined).once('close', over);
  }
`;

function createProgrammer(open: () => Promise<Dataplane>, signal: AbortSignal): Programmer {
  return new Programmer({
    open,
    health: new ProxyHealth(60_000),
    metrics: proxyMetrics(createMetrics()),
    logger: silentLogger,
    signal,
    retryRefusedMs: 60_000,
    onRefused: (_frontend, { reason }) => assert.fail(reason),
    now: Date.now,
  });
}

/** A plane that does nothing, and does it only when it is let. */
function slowPlane() {
  const [asked, allowed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let isClosed = false;
  const wait = async () => {
    asked.resolve();
    await allowed.promise;
    return { refused: [], operations: 0 };
  };
  const close = async () => {
    isClosed = true;
  };
  const plane: Dataplane = { ...createUserspacePlane(network), name: 'fake', adopt: wait, apply: wait, close };
  return { plane, asked: asked.promise, allow: allowed.resolve, isClosed: () => isClosed };
}

test('a plane that is asked for while another one takes over comes into force after it', async (t) => {
  const stop = new AbortController();
  t.after(() => stop.abort());
  const [first, second] = [slowPlane(), slowPlane()];
  const planes = [first, second];
  const programmer = createProgrammer(async () => planes.shift()?.plane ?? assert.fail('no plane'), stop.signal);
  const inForce = programmer.become([make.clusterIp(make.forward('pod1'))]);
  await first.asked;
  const reopened = programmer.reopen();
  first.allow();
  second.allow();
  assert.equal(await reopened, true);
  await inForce;
  assert.equal(programmer.plane, second.plane);
  assert.ok(first.isClosed());
});

test('before anything is in force there is nothing to open anew', async (t) => {
  const stop = new AbortController();
  t.after(() => stop.abort());
  const programmer = createProgrammer(() => assert.fail('opened'), stop.signal);
  assert.equal(await programmer.reopen(), false);
});

test('what is under way when the signal aborts is settled before the plane is given back', async () => {
  const stop = new AbortController();
  const slow = slowPlane();
  const programmer = createProgrammer(async () => slow.plane, stop.signal);
  void programmer.become([make.clusterIp(make.forward('pod1'))]);
  await slow.asked;
  stop.abort();
  slow.allow();
  await programmer.settled();
  assert.equal(programmer.plane, slow.plane);
});

test('who calls the userspace plane before the next one is in force is served', { timeout: 20_000 }, async (t) => {
  const server = createServer((socket) => socket.end('hello')).listen(targetPort, pod);
  await once(server, 'listening');
  const stop = new AbortController();
  t.after(() => {
    stop.abort();
    server.close();
  });
  const connected = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { address: world.services[0], port: make.servicePort, count: callerCount, connected };
  const answered = Promise.withResolvers<unknown>();
  const next: Dataplane = {
    ...createUserspacePlane(network),
    name: 'fake',
    // The thread is busy while they call: they get no further than the listener's queue.
    adopt: async () => {
      new Worker(callers, { eval: true, workerData }).once('message', answered.resolve).once('error', answered.reject);
      await new Promise(setImmediate);
      Atomics.wait(connected, 0, 0);
      return { refused: [], operations: 0 };
    },
  };
  const planes = [createUserspacePlane(network), next];
  const programmer = createProgrammer(async () => planes.shift() ?? assert.fail('no plane'), stop.signal);
  await programmer.become([make.clusterIp(make.forward('pod1'))]);
  await programmer.reopen();
  assert.equal(await answered.promise, callerCount);
});
