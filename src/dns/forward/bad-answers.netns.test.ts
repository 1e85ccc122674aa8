import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { systemClock } from '../../observe/clock.ts';
import { silentLogger } from '../../observe/log.ts';
import { createMetrics } from '../../observe/metrics.ts';
import type { SocketAddress } from '../config.ts';
import { createFrames } from '../listen/tcp-frames.ts';
import { recordsOf } from '../reply.ts';

import type { ForwardSettings } from '../settings/settings.ts';
import { readMessage } from '../wire/message.ts';
import type { Message, ResourceRecord } from '../wire/message.ts';
import { parseName } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { nameRdata } from '../wire/rdata.ts';
import { classIn, flags, rcodeName, typeNumbers } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';
import type { MessageToWrite } from '../wire/writer.ts';
import { createSystemNetwork } from './system-network.ts';
import { createForwarder } from './forwarder.ts';
import type { Resolver } from './resolver.ts';

/** Upstream servers that send what they should not. */
before(() => isolateNetwork());

const { A, CNAME, NS, TXT } = typeNumbers;
const www = name('www.example.com');

function name(text: string): Name {
  return parseName(text) ?? assert.fail(text);
}

function addresses(owner: Name, ttl: number, ...last: readonly number[]): ResourceRecord[] {
  return recordsOf(
    owner,
    A,
    ttl,
    last.map((it) => Uint8Array.of(192, 0, 2, it)),
  );
}

/** An answer to a question, whole but for what is given. */
function reply(query: Message, over: Partial<MessageToWrite> = {}): Buffer {
  const { id, questions } = query;
  return writeMessage({ id, flags: flags.QR | flags.RA, questions, answers: addresses(www, 60, 1), ...over });
}

/** `www` is an alias of the first of so many names, each of the next; the last has an address. Written from the end. */
function chain(length: number): ResourceRecord[] {
  const names = [www, ...Array.from({ length }, (_, index) => name(`n${index}.example.net`))];
  const aliases = names
    .slice(0, -1)
    .flatMap((owner, index) => recordsOf(owner, CNAME, 60, [nameRdata(names[index + 1] ?? www)]));
  return [...addresses(names.at(-1) ?? www, 60, 1), ...aliases.toReversed()];
}

/** A message full of records whose owner is a pointer into as many pointers as there may be. */
function bomb(query: Message): Buffer {
  const head = reply(query, { answers: [] });
  const ladder = Buffer.concat(
    Array.from({ length: 120 }, (_, index) =>
      Buffer.from([1, 0x78, 0xc0 | ((head.length + 10 + 4 * index) >> 8), (head.length + 10 + 4 * index) & 255]),
    ),
  );
  const text = Buffer.concat([
    Buffer.of(0),
    u16(TXT, 1, 0, 60, ladder.length + 2),
    Buffer.of(1, 0x78),
    ladder.subarray(0, -4),
    u16(0x0178, 0xc000 | 12),
  ]);
  const owner = 0xc000 | (head.length + text.length - 4);
  const one = u16(owner, A, 1, 0, 60, 4, 0xc000, 0x0201);
  const many = Math.floor((65_535 - head.length - text.length) / one.length);
  const packet = Buffer.concat([head, text, ...Array<Buffer>(many).fill(one)]);
  packet.writeUInt16BE(1 + many, 6);
  return packet;
}

function u16(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeUInt16BE(number, 2 * index);
  return bytes;
}

/** Behind its length. */
function framed(bytes: Buffer): Buffer {
  return Buffer.concat([u16(bytes.length), bytes]);
}

interface Script {
  readonly udp?: (query: Message) => readonly Buffer[];
  /** What goes onto the connection as it is; the connection ends behind `ends`. */
  readonly tcp?: (query: Message) => readonly Buffer[];
  readonly ends?: boolean;
}

interface Scripted extends AsyncDisposable {
  readonly where: SocketAddress;
  /** Questions so far. */
  readonly asked: Message[];
}

async function upstream({ udp, tcp, ends = false }: Script): Promise<Scripted> {
  const asked: Message[] = [];
  const read = (packet: Buffer): Message => {
    const query = readMessage(packet);
    assert.ok(!('malformed' in query));
    asked.push(query);
    return query;
  };
  const datagrams = createSocket('udp4');
  datagrams.on('message', (packet, { port, address }) => {
    for (const bytes of udp?.(read(packet)) ?? []) datagrams.send(bytes, port, address);
  });
  const bound = once(datagrams, 'listening');
  datagrams.bind(0, '127.0.0.1');
  await bound;
  const where = { address: '127.0.0.1', port: datagrams.address().port };
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    const frames = createFrames((packet) => {
      for (const bytes of tcp?.(read(packet)) ?? []) socket.write(bytes);
      if (ends) socket.end();
    });
    socket.on('data', (chunk: Buffer) => frames(chunk));
  });
  server.listen(where.port, where.address);
  await once(server, 'listening');
  return {
    where,
    asked,
    async [Symbol.asyncDispose]() {
      datagrams.close();
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function forwarder(servers: readonly Scripted[], transport: ForwardSettings['transport'] = 'udp'): Resolver {
  const upstreams = servers.map(({ where }) => ({ ...where, transport: 'dns' as const, serverName: undefined }));
  return createForwarder({
    forwards: [
      { zones: ['.'], except: [], upstreams, policy: 'sequential', healthCheckMs: 0, maxConcurrent: 100, transport },
    ],
    cache: {
      zones: ['.'],
      positive: { capacity: 100, megabytes: 1, minSeconds: 0, maxSeconds: 300 },
      negative: { capacity: 100, megabytes: 1, minSeconds: 0, maxSeconds: 30 },
      staleSeconds: 0,
      prefetchQueries: 0,
      failureSeconds: 0,
    },
    logger: silentLogger,
    metrics: createMetrics(),
    labels: { server: 'dns://:53', zones: '.', view: '' },
    clock: systemClock,
    network: createSystemNetwork(),
    // Less than an unknown upstream gets before another is asked: an attempt must fail by itself for the next one to start.
    deadlineMs: 700,
  });
}

/** Code and addresses of an answer. */
async function outcome(resolver: Resolver, of: Name = www): Promise<string> {
  const resolved = await resolver.resolve({
    question: { name: of, type: A, class: classIn },
    dnssecOk: false,
    checkingDisabled: false,
    client: { transport: 'udp', address: () => '192.0.2.7' },
  });
  assert.ok(resolved);
  const found = resolved.answers.filter(({ type }) => type === A).map(({ rdata }) => [...rdata].join('.'));
  return [rcodeName(resolved.rcode), ...found].join(' ');
}

interface Case extends Script {
  readonly input: string;
  readonly outcome: string;
  readonly transport?: 'tcp';
  /** How often it was asked, when asked for the name twice. */
  readonly asked?: number;
}

const right = 'NOERROR 192.0.2.1';
const forged = addresses(www, 60, 66);
const garbage = Buffer.alloc(20, 0xff);
const cut = flags.QR | flags.TC;

const cases: readonly Case[] = [
  {
    input: 'the answer to another opcode',
    udp: (query) => [reply(query, { flags: flags.QR | (5 << 11), answers: forged }), reply(query)],
    outcome: right,
  },
  {
    input: 'an answer of another id, question, type and class, and one without a question',
    udp: (query) => [
      reply(query, { id: query.id ^ 0x100, answers: forged }),
      reply(query, { questions: [{ name: name('evil.example.com'), type: A, class: classIn }], answers: forged }),
      reply(query, { questions: [{ name: www, type: TXT, class: classIn }], answers: forged }),
      reply(query, { questions: [{ name: www, type: A, class: 3 }], answers: forged }),
      reply(query, { questions: [...query.questions, ...query.questions], answers: forged }),
      reply(query, { questions: [], answers: forged }),
      reply(query),
    ],
    outcome: right,
  },
  {
    input: 'an answer in another case',
    udp: (query) => {
      const shouted = name('WWW.Example.COM');
      return [
        reply(query, { questions: [{ name: shouted, type: A, class: classIn }], answers: addresses(shouted, 60, 1) }),
      ];
    },
    outcome: right,
    asked: 1,
  },
  {
    input: 'an answer that was cut in the middle of a record',
    udp: (query) => [reply(query, { flags: cut }).subarray(0, -3)],
    tcp: (query) => [framed(reply(query))],
    outcome: right,
  },
  {
    input: 'an answer that was cut and goes on with garbage',
    udp: (query) => [Buffer.concat([reply(query, { flags: cut }).subarray(0, -10), garbage])],
    tcp: (query) => [framed(reply(query))],
    outcome: right,
  },
  {
    input: 'an answer that was cut, of another question',
    udp: (query) => [
      reply(query, { flags: cut, questions: [{ name: name('evil.example.com'), type: A, class: classIn }] }).subarray(
        0,
        -3,
      ),
      reply(query),
    ],
    tcp: (query) => [framed(reply(query, { answers: forged }))],
    outcome: right,
  },
  {
    input: 'many name servers without addresses',
    udp: (query) => [
      reply(query, {
        answers: [],
        authorities: Array.from({ length: 50 }, (_, it) =>
          recordsOf(name('example.com'), NS, 60, [nameRdata(name(`ns${it}.victim.example`))]),
        ).flat(),
      }),
    ],
    outcome: 'NOERROR',
    asked: 1,
  },
  {
    input: 'aliases one after the other',
    udp: (query) => [reply(query, { answers: chain(10) })],
    outcome: right,
    asked: 1,
  },
  {
    input: 'aliases without an end in sight',
    udp: (query) => [reply(query, { answers: [], flags: cut })],
    tcp: (query) => [framed(reply(query, { answers: chain(2500) }))],
    outcome: 'SERVFAIL',
  },
  {
    input: 'aliases in a ring',
    udp: (query) => {
      const other = name('other.example.com');
      return [
        reply(query, {
          answers: [...recordsOf(www, CNAME, 60, [nameRdata(other)]), ...recordsOf(other, CNAME, 60, [nameRdata(www)])],
        }),
      ];
    },
    outcome: 'SERVFAIL',
  },
  {
    input: 'names made of pointers to pointers',
    udp: (query) => [reply(query, { answers: [], flags: cut })],
    tcp: (query) => [framed(bomb(query))],
    outcome: 'NOERROR',
  },
  { input: 'a TTL of 0', udp: (query) => [reply(query, { answers: addresses(www, 0, 1) })], outcome: right, asked: 2 },
  {
    input: 'a TTL with the top bit',
    udp: (query) => [reply(query, { answers: addresses(www, 0x8000_0e10, 1) })],
    outcome: right,
    asked: 2,
  },
  {
    input: 'the longest TTL',
    udp: (query) => [reply(query, { answers: addresses(www, 0x7fff_ffff, 1) })],
    outcome: right,
    asked: 1,
  },
  {
    input: 'an answer byte by byte over TCP, behind empty messages',
    transport: 'tcp',
    tcp: (query) => [u16(0, 0), ...Array.from(framed(reply(query)), (byte) => Buffer.of(byte))],
    outcome: right,
  },
  {
    input: 'the answer to another id first over TCP',
    transport: 'tcp',
    tcp: (query) => [framed(reply(query, { id: query.id ^ 1, answers: forged })), framed(reply(query))],
    outcome: right,
  },
];

for (const { input, outcome: expected, transport, asked, ...script } of cases) {
  test(`an upstream sends ${input}: ${expected}`, async () => {
    await using server = await upstream(script);
    await using resolver = forwarder([server], transport);
    assert.equal(await outcome(resolver), expected);
    if (asked === undefined) return;
    assert.equal(await outcome(resolver), expected);
    assert.equal(server.asked.length, asked);
  });
}

const broken: readonly (Script & { readonly input: string; readonly transport?: 'tcp' })[] = [
  { input: 'a malformed answer', udp: (query) => [reply(query).subarray(0, -3)] },
  { input: 'counts that lie', udp: (query) => [tampered(reply(query), 6, 999)] },
  {
    input: 'an answer that was cut, and a malformed one over TCP',
    udp: (query) => [reply(query, { flags: cut })],
    tcp: (query) => [framed(reply(query).subarray(0, -3))],
  },
  {
    input: 'the end of the connection inside an answer',
    transport: 'tcp',
    tcp: (query) => [framed(reply(query)).subarray(0, -3)],
    ends: true,
  },
  { input: 'a malformed answer over TCP', transport: 'tcp', tcp: (query) => [framed(reply(query).subarray(0, -3))] },
];

function tampered(packet: Buffer, at: number, word: number): Buffer {
  packet.writeUInt16BE(word, at);
  return packet;
}

for (const { input, transport, ...script } of broken) {
  test(`an upstream sends ${input}: the next one is asked at once`, async () => {
    await using first = await upstream(script);
    await using second = await upstream({ udp: (query) => [reply(query)], tcp: (query) => [framed(reply(query))] });
    await using resolver = forwarder([first, second], transport);
    assert.equal(await outcome(resolver), right);
  });
}

test('a late answer over a lasting connection is not taken for that to the next question', async () => {
  const late = Promise.withResolvers<Buffer>();
  const other = name('other.example.com');
  await using server = await upstream({
    tcp(query) {
      const [question] = query.questions;
      if (question?.name !== other) {
        late.resolve(framed(reply(query, { answers: forged })));
        return [];
      }
      return [lateBytes, framed(reply(query, { answers: addresses(other, 60, 2) }))];
    },
  });
  let lateBytes: Buffer = Buffer.alloc(0);
  await using resolver = forwarder([server], 'tcp');
  assert.equal(await outcome(resolver), 'SERVFAIL');
  lateBytes = await late.promise;
  assert.equal(await outcome(resolver, other), 'NOERROR 192.0.2.2');
});
