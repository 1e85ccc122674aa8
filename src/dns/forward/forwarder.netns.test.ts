import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { systemClock } from '../../observe/clock.ts';
import { silentLogger } from '../../observe/log.ts';
import { createMetrics } from '../../observe/metrics.ts';
import type { SocketAddress } from '../config.ts';
import { createFrames } from '../listen/tcp-frames.ts';
import { recordsOf } from '../reply.ts';
import { readMessage } from '../wire/message.ts';
import type { Message, ResourceRecord } from '../wire/message.ts';
import { parseName } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { nameRdata, soaRdata } from '../wire/rdata.ts';
import { classIn, flags, rcodes, typeNumbers } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';
import type { MessageToWrite } from '../wire/writer.ts';
import { exchangeTcp } from './exchange.ts';
import { createSystemNetwork } from './system-network.ts';
import { createForwarder } from './forwarder.ts';
import type { ForwarderOptions } from './forwarder.ts';
import type { CacheSettings, ForwardSettings } from '../settings/settings.ts';
import type { Resolved, Resolver } from './resolver.ts';

before(() => isolateNetwork());

const { A, CNAME, SOA } = typeNumbers;

function name(text: string): Name {
  const parsed = parseName(text);
  assert.ok(parsed);
  return parsed;
}

const www = name('www.example.com');
const address = (owner: Name, ...last: number[]): ResourceRecord[] =>
  recordsOf(
    owner,
    A,
    60,
    last.map((it) => Uint8Array.of(192, 0, 2, it)),
  );

interface Upstream extends AsyncDisposable {
  readonly where: SocketAddress;
  /** TCP connections so far. */
  readonly connections: number;
  readonly asked: Message[];
}

type Answer = (query: Message, transport: 'udp' | 'tcp') => readonly Partial<MessageToWrite>[];

/** A name server on loopback: `answer` gives the messages it sends for each query, none to stay silent. */
async function upstream(answer: Answer): Promise<Upstream> {
  const asked: Message[] = [];
  const respond = (packet: Buffer, transport: 'udp' | 'tcp', send: (bytes: Buffer) => void): void => {
    const query = readMessage(packet);
    assert.ok(!('malformed' in query));
    asked.push(query);
    for (const message of answer(query, transport)) {
      send(writeMessage({ id: query.id, flags: flags.QR | flags.RA, questions: query.questions, ...message }));
    }
  };
  const udp = createSocket('udp4');
  udp.on('message', (packet, peer: RemoteInfo) =>
    respond(packet, 'udp', (bytes) => udp.send(bytes, peer.port, peer.address)),
  );
  let connections = 0;
  const open = new Set<Socket>();
  const tcp = createServer((socket) => {
    connections += 1;
    open.add(socket);
    const frames = createFrames((packet) =>
      respond(packet, 'tcp', (bytes) => {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(bytes.length);
        socket.write(Buffer.concat([length, bytes]));
      }),
    );
    socket.on('data', (chunk: Buffer) => frames(chunk));
    socket.on('error', () => undefined);
  });
  const bound = once(udp, 'listening');
  udp.bind(0, '127.0.0.1');
  await bound;
  const where = { address: '127.0.0.1', port: udp.address().port };
  tcp.listen(where.port, where.address);
  await once(tcp, 'listening');
  return {
    where,
    asked,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      udp.close();
      tcp.close();
      for (const socket of open) socket.destroy();
      await once(tcp, 'close');
    },
  };
}

interface TestOptions extends Partial<ForwarderOptions> {
  readonly upstreams?: readonly SocketAddress[];
  readonly forward?: Partial<ForwardSettings>;
}

/** Sequential, without health checks, answers kept for at most 300 s. */
function forwarder(upstreams: readonly Upstream[], options: TestOptions = {}): Resolver {
  const { upstreams: addresses = upstreams.map(({ where }) => where), forward, ...more } = options;
  return createForwarder({
    forwards: [forwardTo(addresses, forward)],
    cache: testCache,
    logger: silentLogger,
    metrics: createMetrics(),
    labels: { server: 'dns://:53', zones: '.', view: '' },
    clock: systemClock,
    network: createSystemNetwork(),
    deadlineMs: 300,
    ...more,
  });
}

function forwardTo(addresses: readonly SocketAddress[], over: Partial<ForwardSettings> = {}): ForwardSettings {
  return {
    zones: ['.'],
    except: [],
    upstreams: addresses.map((where) => ({ ...where, transport: 'dns', serverName: undefined })),
    policy: 'sequential',
    healthCheckMs: 0,
    maxConcurrent: 1000,
    transport: 'udp',
    ...over,
  };
}

const testCache: CacheSettings = {
  zones: ['.'],
  positive: { capacity: 1000, megabytes: 1, minSeconds: 0, maxSeconds: 300 },
  negative: { capacity: 1000, megabytes: 1, minSeconds: 0, maxSeconds: 30 },
  staleSeconds: 86_400,
  prefetchQueries: 0,
  failureSeconds: 2,
};

async function resolve(
  resolver: Resolver,
  owner: Name = www,
  type: number = A,
  from = '10.244.1.1',
): Promise<Resolved> {
  const resolved = await resolver.resolve({
    question: { name: owner, type, class: classIn },
    dnssecOk: false,
    checkingDisabled: false,
    client: { transport: 'udp', address: () => from },
  });
  return resolved ?? assert.fail('no upstream is for the name');
}

function addresses({ answers }: Resolved): string[] {
  return answers.filter(({ type }) => type === A).map(({ rdata }) => [...rdata].join('.'));
}

test('an answer is passed on and kept for its time', async () => {
  let now = 1_000_000;
  await using server = await upstream(() => [{ answers: address(www, 1) }]);
  await using resolver = forwarder([server], { clock: { ...systemClock, now: () => now } });
  assert.deepEqual(addresses(await resolve(resolver)), ['192.0.2.1']);
  now += 59_000;
  const kept = await resolve(resolver, name('WWW.example.com'));
  assert.deepEqual([kept.from, kept.answers[0]?.ttl], ['cache', 1]);
  assert.equal(server.asked.length, 1);
  now += 1000;
  await resolve(resolver);
  assert.equal(server.asked.length, 2);
});

test('an answer that was cut is asked for again over TCP', async () => {
  await using server = await upstream((_query, transport) => [
    transport === 'udp' ? { flags: flags.QR | flags.TC } : { answers: address(www, 1, 2, 3) },
  ]);
  await using resolver = forwarder([server]);
  assert.equal(addresses(await resolve(resolver)).length, 3);
});

test('the next upstream is asked when one is silent, closed or refuses, and the silent one then comes last', async () => {
  await using silent = await upstream(() => []);
  await using refusing = await upstream(() => [{ flags: flags.QR | rcodes.REFUSED }]);
  await using good = await upstream((query) => [{ answers: address(query.questions[0]?.name ?? www, 1) }]);
  await using resolver = forwarder([silent, refusing, good], { deadlineMs: 5000 });
  assert.deepEqual(addresses(await resolve(resolver)), ['192.0.2.1']);
  await resolve(resolver, name('b.example.com'));
  assert.deepEqual(addresses(await resolve(resolver, name('c.example.com'))), ['192.0.2.1']);
  assert.equal(good.asked.length, 3);
});

test('when nobody answers it is SERVFAIL with a reason, and not asked again at once', async () => {
  let now = 1_000_000;
  await using silent = await upstream(() => []);
  await using resolver = forwarder([silent], { deadlineMs: 60, clock: { ...systemClock, now: () => now } });
  const failed = await resolve(resolver);
  assert.equal(failed.rcode, rcodes.SERVFAIL);
  assert.match(failed.error?.text ?? '', /did not answer within/);
  assert.equal((await resolve(resolver)).rcode, rcodes.SERVFAIL);
  const asked = silent.asked.length;
  await resolve(resolver);
  assert.equal(silent.asked.length, asked);
  now += 3000;
  await resolve(resolver);
  assert.ok(silent.asked.length > asked);
});

test('an upstream without a route to it fails at once, over UDP and TCP', async () => {
  const nowhere = { address: '192.0.2.1', port: 53 };
  await using resolver = forwarder([], { upstreams: [nowhere], deadlineMs: 5000 });
  const failed = await resolve(resolver);
  assert.equal(failed.rcode, rcodes.SERVFAIL);
  assert.match(failed.error?.text ?? '', /ENETUNREACH/);
  const question = { name: www, type: A, class: classIn };
  const request = { id: 1, question, packet: writeMessage({ id: 1, flags: 0, questions: [question] }) };
  await assert.rejects(exchangeTcp(nowhere, request, { timeoutMs: 5000 }), { code: 'ENETUNREACH' });
});

test('an upstream with a closed port fails at once', async () => {
  const closed = await upstream(() => []);
  await closed[Symbol.asyncDispose]();
  await using resolver = forwarder([closed], { deadlineMs: 5000 });
  assert.match((await resolve(resolver)).error?.text ?? '', /ECONNREFUSED/);
});

test('an old answer is used while nobody answers, and marked', async () => {
  let now = 1_000_000;
  let isAlive = true;
  await using server = await upstream(() => (isAlive ? [{ answers: address(www, 1) }] : []));
  await using resolver = forwarder([server], { deadlineMs: 30, clock: { ...systemClock, now: () => now } });
  await resolve(resolver);
  isAlive = false;
  now += 3_600_000;
  const stale = await resolve(resolver);
  assert.deepEqual([addresses(stale), stale.answers[0]?.ttl, stale.error?.code], [['192.0.2.1'], 30, 3]);
  now += 2 * 86_400_000;
  assert.equal((await resolve(resolver)).rcode, rcodes.SERVFAIL);
});

test('forged and late packets are passed over: wrong id, wrong question, no answer at all', async () => {
  await using server = await upstream((query) => [
    { id: query.id ^ 1, answers: address(www, 66) },
    { questions: [{ name: name('evil.example.com'), type: A, class: classIn }], answers: address(www, 66) },
    { questions: [], answers: address(www, 66) },
    { flags: 0, answers: address(www, 66) },
    { answers: address(www, 1) },
  ]);
  await using resolver = forwarder([server]);
  assert.deepEqual(addresses(await resolve(resolver)), ['192.0.2.1']);
});

test('what was not asked for is not believed; aliases are followed in any order', async () => {
  const target = name('target.example.net');
  await using server = await upstream(() => [
    {
      answers: [
        ...address(name('bank.example.org'), 66),
        ...address(target, 1),
        ...recordsOf(www, CNAME, 30, [nameRdata(target)]),
      ],
      authorities: recordsOf(name('org'), SOA, 60, [soaRdata('\0', '\0', numbers(60))]),
      additionals: address(name('bank.example.org'), 66),
    },
  ]);
  await using resolver = forwarder([server]);
  const { answers, authorities } = await resolve(resolver);
  assert.deepEqual(
    answers.map((it) => [it.name, it.type]),
    [
      [target, A],
      [www, CNAME],
    ],
  );
  assert.deepEqual(authorities, []);
});

function numbers(minimum: number): Parameters<typeof soaRdata>[2] {
  return { serial: 1, refresh: 1, retry: 1, expire: 1, minimum };
}

test('negative answers are kept as long as the SOA says, at most 30 seconds (RFC 2308)', async () => {
  for (const [minimum, lasts] of [
    [10, 10],
    [3600, 30],
  ] as const) {
    let now = 1_000_000;
    await using server = await upstream(() => [
      {
        flags: flags.QR | rcodes.NXDOMAIN,
        authorities: recordsOf(name('example.com'), SOA, 3600, [soaRdata('\0', '\0', numbers(minimum))]),
      },
    ]);
    await using resolver = forwarder([server], { clock: { ...systemClock, now: () => now } });
    assert.equal((await resolve(resolver)).rcode, rcodes.NXDOMAIN);
    now += lasts * 1000 - 1;
    const kept = await resolve(resolver);
    assert.deepEqual([kept.rcode, kept.authorities.length], [rcodes.NXDOMAIN, 1]);
    assert.equal(server.asked.length, 1);
    now += 1;
    await resolve(resolver);
    assert.equal(server.asked.length, 2);
  }
});

test('equal questions under way are asked once, and no client has more than its share under way', async () => {
  await using server = await upstream((query) => [{ answers: address(query.questions[0]?.name ?? www, 1) }]);
  await using resolver = forwarder([server], { forward: { maxConcurrent: 4 } });
  const same = await Promise.all([resolve(resolver), resolve(resolver), resolve(resolver)]);
  assert.deepEqual(
    same.map((it) => it.rcode),
    [0, 0, 0],
  );
  assert.equal(server.asked.length, 1);
  const names = ['a.example.com', 'b.example.com', 'c.example.com'].map(name);
  const others = name('d.example.com');
  const different = await Promise.all([
    ...names.map((it) => resolve(resolver, it)),
    resolve(resolver, others, A, '10.244.1.2'),
  ]);
  assert.deepEqual(
    different.map((it) => it.rcode),
    [0, 0, rcodes.SERVFAIL, 0],
  );
});

test('the cache has a limit; what was used last stays', async () => {
  await using server = await upstream((query) => [{ answers: address(query.questions[0]?.name ?? www, 1) }]);
  await using resolver = forwarder([server], {
    cache: { ...testCache, positive: { ...testCache.positive, capacity: 2 } },
  });
  for (const it of ['a.example', 'b.example', 'a.example', 'c.example', 'a.example']) await resolve(resolver, name(it));
  assert.equal(server.asked.length, 3);
});

test('every question has its own id and port', async () => {
  const seen = new Set<number>();
  await using server = await upstream((query) => {
    seen.add(query.id);
    return [{ answers: address(query.questions[0]?.name ?? www, 1) }];
  });
  await using resolver = forwarder([server]);
  for (let i = 0; i < 20; i += 1) await resolve(resolver, name(`n${i}.example`));
  assert.ok(seen.size > 15);
});

test('a slow upstream is not waited for: the next is asked beside it, and the first answer counts', async () => {
  const slow = await upstream(() => []);
  await using good = await upstream(() => [{ answers: address(www, 2) }]);
  await using resolver = forwarder([slow, good], { deadlineMs: 5000 });
  const startMs = performance.now();
  assert.deepEqual(addresses(await resolve(resolver)), ['192.0.2.2']);
  assert.ok(performance.now() - startMs < 2500, 'well before the deadline');
  await slow[Symbol.asyncDispose]();
});

test('an upstream that failed twice is set aside, and asked again once it answers a probe', async () => {
  let isAlive = false;
  await using flaky = await upstream((query) =>
    isAlive ? [{ answers: address(query.questions[0]?.name ?? www, 1) }] : [],
  );
  await using good = await upstream((query) => [{ answers: address(query.questions[0]?.name ?? www, 2) }]);
  await using resolver = forwarder([flaky, good], { deadlineMs: 5000, forward: { healthCheckMs: 50 } });
  for (const it of ['a.example', 'b.example']) await resolve(resolver, name(it));
  isAlive = true;
  let count = 0;
  await until(async () => addresses(await resolve(resolver, name(`n${(count += 1)}.example`)))[0] === '192.0.2.1');
});

test('names go to the upstream of their longest zone, and exceptions to the others', async () => {
  await using all = await upstream((query) => [{ answers: address(query.questions[0]?.name ?? www, 1) }]);
  await using corp = await upstream((query) => [{ answers: address(query.questions[0]?.name ?? www, 2) }]);
  const forwards = [
    forwardTo([all.where]),
    forwardTo([corp.where], { zones: ['corp.example'], except: ['public.corp.example'] }),
  ];
  await using resolver = forwarder([], { forwards });
  assert.deepEqual(addresses(await resolve(resolver, name('a.corp.example'))), ['192.0.2.2']);
  assert.deepEqual(addresses(await resolve(resolver, name('a.public.corp.example'))), ['192.0.2.1']);
  assert.deepEqual(addresses(await resolve(resolver, name('a.example'))), ['192.0.2.1']);
});

test('a name that does not exist has no names below it (RFC 8020), and failures push out no answers', async () => {
  await using server = await upstream((query) => {
    const isWww = query.questions[0]?.name === www;
    return [isWww ? { answers: address(www, 1) } : { flags: flags.QR | rcodes.NXDOMAIN, authorities: soa }];
  });
  await using resolver = forwarder([server]);
  assert.equal((await resolve(resolver, name('no.example.com'))).rcode, rcodes.NXDOMAIN);
  assert.equal((await resolve(resolver, name('a.b.no.example.com'))).rcode, rcodes.NXDOMAIN);
  assert.deepEqual(addresses(await resolve(resolver)), ['192.0.2.1']);
  assert.equal(server.asked.length, 2);
});

const soa = recordsOf(name('example.com'), SOA, 3600, [soaRdata('\0', '\0', numbers(60))]);

test('a name that is asked often is asked for again before its time is over', async () => {
  let now = 1_000_000;
  await using server = await upstream(() => [{ answers: address(www, 1) }]);
  await using resolver = forwarder([server], {
    clock: { ...systemClock, now: () => now },
    cache: { ...testCache, prefetchQueries: 3 },
  });
  await resolve(resolver);
  now += 55_000;
  for (let i = 0; i < 3; i += 1) assert.equal((await resolve(resolver)).from, 'cache');
  await until(async () => (await resolve(resolver)).answers[0]?.ttl === 60);
  assert.equal(server.asked.length, 2);
  now += 30_000;
  assert.equal((await resolve(resolver)).from, 'cache', 'the newer answer is kept for its own time');
});

test('a lasting connection carries one question after the other', async () => {
  await using server = await upstream((query) => [{ answers: address(query.questions[0]?.name ?? www, 1) }]);
  await using resolver = forwarder([server], { forward: { transport: 'tcp' } });
  const names = ['a.example', 'b.example', 'c.example'].map(name);
  for (const each of names) assert.deepEqual(addresses(await resolve(resolver, each)), ['192.0.2.1']);
  const together = await Promise.all(names.map((each) => resolve(resolver, name(`x${each.slice(1, 2)}.example`))));
  assert.ok(together.every((each) => each.rcode === 0));
  assert.equal(server.connections, 1);
});

test('a lasting connection on which nothing comes any more is given up', async () => {
  let isSilent = false;
  await using server = await upstream(({ questions: [asked] }) =>
    isSilent && server.connections === 1 ? [] : [{ answers: address(asked?.name ?? www, 1) }],
  );
  await using resolver = forwarder([server], { forward: { transport: 'tcp' } });
  assert.deepEqual(addresses(await resolve(resolver)), ['192.0.2.1']);
  isSilent = true;
  assert.equal((await resolve(resolver, name('a.example'))).rcode, rcodes.SERVFAIL);
  assert.deepEqual(addresses(await resolve(resolver, name('b.example'))), ['192.0.2.1']);
});

test('an upstream that sends our questions back is found and set aside, and comes back when it does so no more', async () => {
  let loops = true;
  const found: string[] = [];
  let resolver: Resolver | undefined;
  await using looping = await upstream((query) => {
    const asked = query.questions[0]?.name ?? www;
    if (loops) resolver?.isOwnProbe(asked);
    return [{ flags: flags.QR | rcodes.NXDOMAIN }];
  });
  await using good = await upstream(() => [{ answers: address(www, 1) }]);
  resolver = forwarder([looping, good], { onLoop: (upstream) => found.push(upstream) });
  await resolver.findLoops();
  assert.equal(found.length, 1);
  const before = looping.asked.length;
  assert.deepEqual(addresses(await resolve(resolver)), ['192.0.2.1']);
  assert.equal(looping.asked.length, before, 'it is not asked any more');
  loops = false;
  await resolver.findLoops();
  assert.equal((await resolve(resolver, name('b.example'))).rcode, rcodes.NXDOMAIN);
  await resolver[Symbol.asyncDispose]();
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'still not');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
