import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../observe/fake-clock.ts';
import { silentLogger } from '../../observe/log.ts';
import { createMetrics } from '../../observe/metrics.ts';
import { questionOf } from '../dig.ts';
import { dnsNamespace, dnsService, testResponder, type TestResponder } from '../fixtures.ts';
import type { Request } from '../forward/exchange.ts';
import { createForwarder } from '../forward/forwarder.ts';
import { recordsOf } from '../reply.ts';
import { noCache } from '../settings/cluster-server.ts';
import type { ServerSettings } from '../settings/settings.ts';
import { writeEdns } from '../wire/edns.ts';
import { readMessage, type Message } from '../wire/message.ts';
import { formatName, parseName } from '../wire/names.ts';
import { nameRdata, soaRdata } from '../wire/rdata.ts';
import { flags, rcodes, typeNumbers } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';

const { CNAME, SOA } = typeNumbers;
const target = parseName('target.example.com') ?? '\0';
const zone = parseName('example.com') ?? '\0';
const soa = soaRdata(zone, zone, { serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 7 });

/** What an upstream says: `short…` for 3 s, `alias…` with records of unlike times, `no…` that it does not exist. */
function sayOf({ id, question }: Request): Message {
  const text = formatName(question.name);
  const rdata = [1, 2, 3].map((last) => Uint8Array.of(192, 0, 2, last));
  const isMissing = text.startsWith('no');
  const isAlias = text.startsWith('alias');
  const owner = isAlias ? target : question.name;
  const alias = isAlias ? recordsOf(question.name, CNAME, 9, [nameRdata(target)]) : [];
  const bytes = writeMessage({
    id,
    flags: flags.QR | (isMissing ? rcodes.NXDOMAIN : 0),
    questions: [question],
    answers: isMissing ? [] : [...alias, ...recordsOf(owner, question.type, text.startsWith('short') ? 3 : 40, rdata)],
    authorities: isMissing ? recordsOf(zone, SOA, 30, [soa]) : [],
  });
  const message = readMessage(bytes);
  if ('malformed' in message) throw new Error(message.malformed);
  return message;
}

/** Two servers before one upstream, which says how often it was asked. */
function setUp(prefetchQueries = 0, settings: Partial<ServerSettings> = {}) {
  const clock = new FakeClock(1_700_000_000_123);
  const asked: string[] = [];
  const metrics = createMetrics();
  const say = async (_: unknown, request: Request): Promise<Message> => {
    asked.push(formatName(request.question.name));
    return sayOf(request);
  };
  const upstream = { address: '192.0.2.53', port: 53, transport: 'dns', serverName: undefined } as const;
  const bounds = { capacity: 100, megabytes: 64, minSeconds: 0, maxSeconds: 300 };
  const resolver = createForwarder({
    forwards: [
      {
        zones: ['.'],
        except: [],
        upstreams: [upstream],
        policy: 'sequential',
        healthCheckMs: 0,
        maxConcurrent: 100,
        transport: 'udp',
      },
    ],
    cache: { ...noCache, zones: ['.'], positive: bounds, negative: bounds, prefetchQueries },
    logger: silentLogger,
    metrics,
    labels: { server: '', zones: '', view: '' },
    clock,
    network: { udp: say, tcp: say },
  });
  const changes = [
    { type: 'namespace', new: dnsNamespace() },
    { type: 'service', new: dnsService() },
  ] as const;
  const make = (): TestResponder =>
    testResponder({ changes, resolver, clock, settings, config: { cidrs: ['10.96.0.0/16'] } });
  return { clock, asked, metrics, quick: make(), ordinary: make() };
}

interface Asking {
  readonly flags?: number;
  readonly dnssecOk?: boolean;
}

function packetOf(name: string, asking: Asking = {}): Buffer {
  const opt = asking.dnssecOk === undefined ? undefined : writeEdns(0, asking.dnssecOk);
  return writeMessage({ id: 77, flags: asking.flags ?? flags.RD, questions: [questionOf(name, 'A')], opt });
}

/** The answer that is ready; undefined when there is none. */
function quickly({ responder }: TestResponder, packet: Buffer): Buffer | undefined {
  const out = Buffer.alloc(1300);
  const written = responder.quick(packet, 0, packet.length, out, 0);
  return written === 0 ? undefined : out.subarray(0, written);
}

async function slowly({ responder }: TestResponder, packet: Buffer): Promise<Buffer> {
  const answered = await responder.answer(packet, { transport: 'udp', address: () => '192.0.2.7' });
  const out = Buffer.alloc(1300);
  return out.subarray(0, answered === undefined ? 0 : responder.write(answered, out, 0));
}

/** Bytes without the order of the addresses, which take turns. */
function shapeOf(bytes: Buffer): string {
  const message = readMessage(bytes);
  if ('malformed' in message) throw new Error(message.malformed);
  const { answers, authorities, ...rest } = message;
  const lines = [...answers, ...authorities].map(({ rdata, ...each }) =>
    JSON.stringify({ ...each, rdata: [...rdata] }),
  );
  return JSON.stringify([rest, lines.toSorted()]);
}

test('an answer of others that is ready is the same, at any time, as the one that the cache gives', async () => {
  const it = setUp();
  let ready = 0;
  const names = ['short.example.com', 'long.example.com', 'alias.example.com', 'no.example.com', 'Long.Example.com'];
  for (let round = 0; round < 4000; round += 1) {
    const name = names[(round * 7) % names.length] ?? '';
    const dnssecOk = [undefined, false, true][round % 3];
    const packet = packetOf(name, { dnssecOk, flags: round % 11 === 0 ? flags.RD | flags.CD : flags.RD });
    const given = quickly(it.quick, packet);
    if (given === undefined) await slowly(it.quick, packet);
    else {
      ready += 1;
      assert.equal(shapeOf(given), shapeOf(await slowly(it.ordinary, packet)), `round ${round}: ${name}`);
    }
    await it.clock.advance((round * 37) % 211);
  }
  assert.ok(ready > 2000, `only ${ready} were ready`);
});

test('what is ready is for those who want recursion, and for questions of its kind only', async () => {
  const it = setUp();
  const plain = packetOf('long.example.com');
  assert.equal(quickly(it.quick, plain), undefined);
  await slowly(it.quick, plain);
  assert.equal(quickly(it.quick, plain), undefined, 'what is asked once takes no room');
  await slowly(it.quick, plain);
  assert.ok(quickly(it.quick, plain));
  assert.ok(quickly(it.quick, packetOf('LONG.example.com', { dnssecOk: false })));
  assert.equal(quickly(it.quick, packetOf('long.example.com', { flags: 0 })), undefined);
  assert.equal(quickly(it.quick, packetOf('long.example.com', { flags: flags.RD | flags.CD })), undefined);
  assert.equal(quickly(it.quick, packetOf('long.example.com', { dnssecOk: true })), undefined);
});

test('a name that is asked for often is asked for again before its time is over, also when it was ready', async () => {
  const it = setUp(10);
  const packet = packetOf('long.example.com');
  for (let round = 0; round < 2; round += 1) await slowly(it.quick, packet);
  for (let round = 0; round < 20; round += 1) assert.ok(quickly(it.quick, packet));
  await it.clock.advance(36_500);
  assert.equal(quickly(it.quick, packet), undefined, 'in the last tenth of its time the cache is asked');
  await slowly(it.quick, packet);
  await it.clock.settle();
  assert.equal(it.asked.length, 2);
});

test('names that may become names of the cluster are never ready', async () => {
  const it = setUp();
  for (const name of ['9.0.0.192.in-addr.arpa', 'nope.shop.svc.cluster.local']) {
    for (let round = 0; round < 3; round += 1) await slowly(it.quick, packetOf(name));
  }
  assert.equal(quickly(it.quick, packetOf('9.0.0.192.in-addr.arpa')), undefined);
  assert.deepEqual(new Set(it.asked), new Set(['9.0.0.192.in-addr.arpa.']));
});

test('where a handler must see every question nothing is ready', async () => {
  const it = setUp(0, { acl: [{ zones: ['.'], types: [], clients: [], action: 'allow' }] });
  for (let round = 0; round < 3; round += 1) await slowly(it.quick, packetOf('long.example.com'));
  assert.equal(quickly(it.quick, packetOf('long.example.com')), undefined);
});

test('answers that were ready are counted as those that the cache gave', async () => {
  const it = setUp();
  for (const name of ['long.example.com', 'no.example.com']) {
    for (let round = 0; round < 2; round += 1) await slowly(it.quick, packetOf(name));
    for (let round = 0; round < 5; round += 1) assert.ok(quickly(it.quick, packetOf(name)));
  }
  // The servers tell the resolver when their figures are looked at.
  it.quick.metrics.render();
  const lines = it.metrics.render().split('\n');
  const valueOf = (start: string): string | undefined =>
    lines
      .find((line) => line.startsWith(start))
      ?.split(' ')
      .at(-1);
  assert.equal(valueOf('coredns_cache_requests_total'), '14');
  assert.equal(valueOf('coredns_cache_hits_total{server="",type="success"'), '6');
  assert.equal(valueOf('coredns_cache_hits_total{server="",type="denial"'), '6');
});
