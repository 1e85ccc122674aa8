import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import type { Backend, Frontend } from '../../routing/frontend.ts';
import { Frontends, type World } from '../contract/frontends.ts';
import { targetPort } from '../contract/server.ts';
import { createUserspacePlane } from './plane.ts';

/** What happens to connections on the userspace plane, with real sockets on loopback. */
const block = 1 + (process.pid % 250);
const service = `127.97.${block}.10`;
const world: World = {
  family: 'IPv4',
  pods: { pod1: `127.245.${block}.11`, pod2: `127.245.${block}.12`, pod3: `127.245.${block}.13` },
  services: [service, `127.97.${block}.11`, `127.97.${block}.12`],
  unallocated: `127.97.${block}.200`,
  external: '203.0.113.80',
  node: '127.0.0.1',
  sources: { outside: '127.0.0.1', client: '127.0.0.1' },
};
const port = 8280;
const make = new Frontends(world, port);
const network = { podCidrs: [], clusterCidrs: [], serviceCidrs: [], nodePortAddresses: [] };
const servers: Server[] = [];
const clients: Socket[] = [];
let plane = createUserspacePlane(network);

/** Answers each line with the server's name and the port that was called. */
async function serve(name: keyof World['pods'], at = targetPort): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => socket.write(`${name} ${at}`));
  });
  server.listen(at, world.pods[name]);
  await once(server, 'listening');
  servers.push(server);
}

before(async () => {
  for (const name of ['pod1', 'pod2', 'pod3'] as const) await serve(name);
});
beforeEach(async () => {
  await plane.remove();
  for (const client of clients.splice(0)) client.destroy();
  plane = createUserspacePlane(network);
});
after(async () => {
  await plane.remove();
  for (const client of clients) client.destroy();
  for (const server of servers) server.close();
});

const put = (...changed: Frontend[]) => plane.apply({ changed, removed: [], triggeredAtMs: undefined });
const take = (...removed: string[]) => plane.apply({ changed: [], removed, triggeredAtMs: undefined });

/** A connection that stays open, once it has been answered. */
async function open(at = port, from?: string): Promise<{ readonly socket: Socket; readonly answer: string }> {
  const socket = connect({ host: service, port: at, ...(from === undefined ? {} : { localAddress: from }) });
  clients.push(socket);
  return { socket, answer: await ask(socket) };
}

async function ask(socket: Socket): Promise<string> {
  socket.write('?');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

/** Ends a connection from both sides, through the plane. */
async function end(socket: Socket): Promise<void> {
  socket.end();
  await once(socket, 'close');
}

async function call(at = port, from?: string): Promise<string> {
  const { socket, answer } = await open(at, from);
  await end(socket);
  return answer.split(' ')[0] ?? '';
}

const refusal = async (at = port): Promise<unknown> => call(at).catch((error: Error & { code?: string }) => error.code);

test('connections are counted from when their frontend came into force', async () => {
  const frontend = make.clusterIp(make.forward('pod1', 'pod2'));
  await put(frontend, make.make('ClusterIP', world.services[1], port, make.forward('pod1')));
  assert.deepEqual([...(await plane.counters())], []);
  for (let time = 0; time < 5; time += 1) await call();
  await put(make.clusterIp(make.forward('pod2')));
  await call();
  assert.deepEqual([...(await plane.counters())], [[frontend.key, { connections: 6 }]]);
  await take(frontend.key);
  await put(frontend);
  assert.deepEqual([...(await plane.counters())], []);
});

test('the least-connection schedulers go by the connections that are really open', async () => {
  await put(make.clusterIp(make.forward('pod1', 'pod2'), { scheduler: 'lc' }));
  const held = await open();
  const other = held.answer.startsWith('pod1') ? 'pod2' : 'pod1';
  for (let time = 0; time < 3; time += 1) assert.equal(await call(), other, 'while the first is held');
  await end(held.socket);
  const answers = new Set([(await open()).answer, (await open()).answer]);
  assert.deepEqual([...answers].toSorted(), [`pod1 ${targetPort}`, `pod2 ${targetPort}`]);
});

test('a client stays with its backend under consistent hashing, whatever else comes and goes', async () => {
  const sources = Array.from({ length: 24 }, (_, at) => `127.0.1.${at + 1}`);
  const answers = async (): Promise<string[]> => {
    const drawn: string[] = [];
    for (const source of sources) drawn.push(await call(port, source));
    return drawn;
  };
  await put(make.clusterIp(make.forward('pod1', 'pod2', 'pod3'), { scheduler: 'mh' }));
  const all = await answers();
  assert.deepEqual(await answers(), all);
  assert.equal(new Set(all).size, 3);
  await put(make.clusterIp(make.forward('pod1', 'pod3'), { scheduler: 'mh' }));
  const fewer = await answers();
  for (const [at, name] of all.entries()) if (name !== 'pod2') assert.equal(fewer[at], name);
});

test('a client with affinity leaves a backend that is no longer ready, and stays with the next', async () => {
  const affinity = { timeoutSeconds: 60 };
  await put(make.clusterIp(make.forward('pod1', 'pod2', 'pod3'), { affinity }));
  const first = await call();
  const others = (['pod1', 'pod2', 'pod3'] as const).filter((name) => name !== first);
  await put(make.clusterIp(make.forward(...others), { affinity }));
  const second = await call();
  assert.notEqual(second, first);
  await put(make.clusterIp(make.forward('pod1', 'pod2', 'pod3'), { affinity }));
  for (let time = 0; time < 6; time += 1) assert.equal(await call(), second);
});

test('connections to a backend that went are reset after the drain time, and not before', async () => {
  const resetAfterSeconds = 0.3;
  await put(make.clusterIp(make.forward('pod1'), { resetAfterSeconds }));
  const { socket } = await open();
  const startMs = performance.now();
  await put(make.clusterIp(make.forward('pod2'), { resetAfterSeconds }));
  assert.match(await ask(socket), /^pod1 /);
  const [error] = (await once(socket, 'error')) as [Error & { code?: string }];
  assert.equal(error.code, 'ECONNRESET');
  assert.ok(performance.now() - startMs >= 295, `after ${performance.now() - startMs} ms`);
});

test('connections to a backend that is back in time, or without a drain time, are left alone', async () => {
  const back = make.clusterIp(make.forward('pod1', 'pod3'), { resetAfterSeconds: 0.1 });
  await put(make.clusterIp(make.forward('pod1'), { resetAfterSeconds: 0.1 }));
  const { socket } = await open();
  await put(make.clusterIp(make.forward('pod2'), { resetAfterSeconds: 0.1 }));
  await put(back);
  await put(make.make('ClusterIP', world.services[1], port, make.forward('pod2'), { resetAfterSeconds: 0.2 }));
  const witness = connect({ host: world.services[1], port });
  clients.push(witness);
  await ask(witness);
  await take(`${world.services[1]}:${port}/TCP`);
  await once(witness, 'error');
  assert.match(await ask(socket), /^pod1 /, 'twice the drain time has passed');
  await put(make.clusterIp(make.forward('pod2')));
  assert.match(await ask(socket), /^pod1 /);
});

test('a UDP flow to a backend that went moves with its next datagram', async () => {
  const pods = ['pod1', 'pod2'] as const;
  const sockets = pods.map((name) => {
    const socket = createSocket('udp4');
    socket.on('message', (_, peer) => socket.send(name, peer.port, peer.address));
    return socket.bind(targetPort, world.pods[name]);
  });
  await Promise.all(sockets.map((socket) => once(socket, 'listening')));
  const client = createSocket('udp4');
  const echo = async (): Promise<string> => {
    client.send('?', port, service);
    const [answer] = (await once(client, 'message')) as [Buffer];
    return answer.toString();
  };
  await put(make.clusterIp(make.forward('pod1'), { protocol: 'UDP' }));
  assert.equal(await echo(), 'pod1');
  await put(make.clusterIp(make.forward('pod2'), { protocol: 'UDP' }));
  assert.equal(await echo(), 'pod2');
  await put(make.clusterIp(make.forward('pod1', 'pod2'), { protocol: 'UDP' }));
  assert.equal(await echo(), 'pod2', 'and stays');
  for (const socket of [client, ...sockets]) socket.close();
});

test('a range of ports keeps the port that was called; one too wide is refused with the reason', async () => {
  const onPorts = (last: number): Frontend => {
    const backends: Backend[] = [{ ...make.backend('pod1'), port }];
    return make.clusterIp({ verdict: 'forward', backends }, { lastPort: last });
  };
  await serve('pod1', port);
  await serve('pod1', port + 2);
  await put(onPorts(port + 2));
  assert.equal((await open(port)).answer, `pod1 ${port}`);
  assert.equal((await open(port + 2)).answer, `pod1 ${port + 2}`);
  await put(onPorts(port));
  assert.equal(await refusal(port + 2), 'ECONNREFUSED');
  assert.equal((await open(port)).answer, `pod1 ${port}`);
  const { refused } = await put(onPorts(port + 4000));
  assert.match(refused[0]?.reason ?? '', /^ports 8280-12280 are 4001, and the userspace plane opens at most 1024/);
  assert.equal(await refusal(port), 'ECONNREFUSED');
});

test('retiring takes nobody new, lets connections end, and then is done', async () => {
  await put(make.clusterIp(make.forward('pod1')));
  const { socket } = await open();
  let isDone = false;
  const retired = plane.retire(new AbortController().signal).then(() => (isDone = true));
  assert.equal(await refusal(), 'ECONNREFUSED');
  assert.match(await ask(socket), /^pod1 /);
  assert.equal(isDone, false);
  socket.end();
  await retired;
  assert.deepEqual(await plane.dump(), []);
});

test('retiring that may wait no longer resets what is left', async () => {
  await put(make.clusterIp(make.forward('pod1')));
  const { socket } = await open();
  const patience = new AbortController();
  const retired = plane.retire(patience.signal);
  const reset = once(socket, 'error') as Promise<[Error & { code?: string }]>;
  patience.abort();
  await retired;
  assert.equal((await reset)[0].code, 'ECONNRESET');
});

test('weights share connections exactly', async () => {
  await put(make.clusterIp({ verdict: 'forward', backends: [make.backend('pod1', 3), make.backend('pod2', 1)] }));
  const drawn: string[] = [];
  for (let time = 0; time < 8; time += 1) drawn.push(await call());
  assert.equal(drawn.filter((name) => name === 'pod1').length, 6);
});
