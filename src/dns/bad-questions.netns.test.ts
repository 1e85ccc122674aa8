import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { isolateNetwork } from '../linux/namespaces.ts';
import { silentLogger } from '../observe/log.ts';
import { dnsNamespace, dnsService, knowsNames, testResponder } from './fixtures.ts';
import type { Listener } from './listen/listener.ts';
import { createFrames } from './listen/tcp-frames.ts';
import { listenTcp } from './listen/tcp.ts';
import { listenUdpBatch } from './listen/udp-batch.ts';
import { listenUdpDgram } from './listen/udp-dgram.ts';
import { readMessage } from './wire/message.ts';
import { parseName } from './wire/names.ts';
import { flags, rcodeName } from './wire/types.ts';
import { WorkerPool } from './workers/pool.ts';

/** Questions that no client in its right mind sends, by every way they can come in. */
const id = 0x4711;
const cart = wire('cart.shop.svc.cluster.local');

function wire(text: string): Buffer {
  return Buffer.from(parseName(text) ?? assert.fail(text), 'latin1');
}

function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeUInt16BE(number, 2 * index);
  return bytes;
}

interface Parts {
  readonly word?: number;
  readonly counts?: readonly [number, number, number, number];
  readonly name?: Uint8Array;
  readonly type?: number;
  readonly class?: number;
  /** Behind the question. */
  readonly more?: readonly Uint8Array[];
}

/** A question for `cart` as it should be, but for what is given. */
function packet({
  word = flags.RD,
  counts = [1, 0, 0, 0],
  name = cart,
  type = 1,
  class: of = 1,
  more = [],
}: Parts = {}): Buffer {
  return Buffer.concat([words(id, word, ...counts), name, words(type, of), ...more]);
}

interface OptParts {
  readonly owner?: Uint8Array;
  readonly size?: number;
  /** Of all options as the record says; what it is unless given. */
  readonly length?: number;
  readonly options?: Uint8Array;
}

function opt({
  owner = Buffer.of(0),
  size = 1232,
  options = Buffer.alloc(0),
  length = options.length,
}: OptParts = {}): Buffer {
  return Buffer.concat([owner, words(41, size, 0, 0, length), options]);
}

function option(code: number, length: number, said = length): Buffer {
  return Buffer.concat([words(code, said), Buffer.alloc(length, 1)]);
}

const withOpt = (parts?: OptParts, ...more: readonly Uint8Array[]): Buffer =>
  packet({ counts: [1, 0, 0, 1 + more.length], more: [opt(parts), ...more] });

const withOption = (code: number, length: number, said?: number): Buffer =>
  withOpt({ options: option(code, length, said) });

const withoutQuestion = (options?: Uint8Array): Buffer =>
  Buffer.concat([words(id, flags.RD, 0, 0, 0, 1), opt({ options })]);

/** One A record of the root. */
const record = Buffer.concat([Buffer.of(0), words(1, 1, 0, 5, 4), Buffer.of(192, 0, 2, 1)]);

/** A signature by a key that nobody knows (RFC 8945 4.2). */
const tsigRdata = Buffer.concat([wire('hmac-sha256'), words(0, 0x6553, 0xf100, 300, 4, 1, 2, id, 0, 0)]);
const tsig = Buffer.concat([wire('nobody'), words(250, 255, 0, 0, tsigRdata.length), tsigRdata]);

function labels(...lengths: readonly number[]): Buffer {
  return Buffer.concat([
    ...lengths.map((length) => Buffer.concat([Buffer.of(length), Buffer.alloc(length, 0x78)])),
    Buffer.of(0),
  ]);
}

interface Case {
  readonly input: string;
  readonly bytes: Buffer;
  /** Code of the answer, or that there must be none. */
  readonly answer: string;
  /** The question that comes back; that of `bytes` unless given; `none` for a header only. */
  readonly question?: 'none';
}

const silent = 'silence';
const formErr = { answer: 'FORMERR', question: 'none' } as const;

const cases: readonly Case[] = [
  ...Array.from({ length: 12 }, (_, length) => ({
    input: `${length} bytes`,
    bytes: packet().subarray(0, length),
    answer: silent,
  })),
  { input: 'a header only, that promises a question', bytes: packet().subarray(0, 12), ...formErr },
  { input: 'no question', bytes: words(id, flags.RD, 0, 0, 0, 0), ...formErr },
  { input: 'no question, but EDNS', bytes: withoutQuestion(), ...formErr },
  {
    input: 'no question, but a client cookie',
    bytes: withoutQuestion(option(10, 8)),
    answer: 'NOERROR',
    question: 'none',
  },
  {
    input: 'no question, but a cookie that is not ours',
    bytes: withoutQuestion(option(10, 24)),
    answer: 'BADCOOKIE',
    question: 'none',
  },
  { input: 'no question, but half a cookie', bytes: withoutQuestion(option(10, 7)), ...formErr },
  {
    input: 'no question, but a cookie and an answer',
    bytes: Buffer.concat([words(id, 0, 0, 1, 0, 1), record, opt({ options: option(10, 8) })]),
    ...formErr,
  },
  { input: 'two questions', bytes: packet({ counts: [2, 0, 0, 0], more: [cart, words(1, 1)] }), ...formErr },
  { input: '65535 questions', bytes: packet({ counts: [65_535, 0, 0, 0] }), ...formErr },
  { input: 'an answer that is not there', bytes: packet({ counts: [1, 1, 0, 0] }), ...formErr },
  { input: 'an answer in a question', bytes: packet({ counts: [1, 1, 0, 0], more: [record] }), ...formErr },
  { input: 'an authority that is not there', bytes: packet({ counts: [1, 0, 1, 0] }), answer: 'FORMERR' },
  { input: 'an authority in a question', bytes: packet({ counts: [1, 0, 1, 0], more: [record] }), answer: 'FORMERR' },
  { input: 'an additional record that is not there', bytes: packet({ counts: [1, 0, 0, 1] }), answer: 'FORMERR' },
  { input: '65535 additional records', bytes: packet({ counts: [1, 0, 0, 65_535], more: [opt()] }), answer: 'FORMERR' },
  { input: 'bytes behind the message', bytes: packet({ more: [Buffer.alloc(40, 0xff)] }), answer: 'NOERROR' },
  { input: 'an answer instead of a question', bytes: packet({ word: flags.QR | flags.RD }), answer: silent },
  ...Array.from({ length: 15 }, (_, index) => ({
    input: `opcode ${index + 1}`,
    bytes: packet({ word: (index + 1) << 11 }),
    answer: 'NOTIMP',
    question: 'none' as const,
  })),
  { input: 'an answer with an opcode', bytes: packet({ word: flags.QR | (5 << 11) }), answer: silent },

  { input: 'a name of 255 bytes', bytes: packet({ name: labels(63, 63, 63, 61) }), answer: 'NXDOMAIN' },
  { input: 'a name of 254 bytes', bytes: packet({ name: labels(63, 63, 63, 60) }), answer: 'NXDOMAIN' },
  { input: 'a name of 256 bytes', bytes: packet({ name: labels(63, 63, 63, 62) }), ...formErr },
  { input: 'a name of 127 labels', bytes: packet({ name: labels(...Array<number>(127).fill(1)) }), answer: 'NXDOMAIN' },
  { input: 'a name of 128 labels', bytes: packet({ name: labels(...Array<number>(128).fill(1)) }), ...formErr },
  { input: 'a label of 64 bytes', bytes: packet({ name: labels(64) }), ...formErr },
  { input: 'a label of type 0x80', bytes: packet({ name: Buffer.of(0x81, 0x78, 0) }), ...formErr },
  { input: 'a pointer to itself', bytes: packet({ name: Buffer.of(0xc0, 12) }), ...formErr },
  { input: 'a pointer forward', bytes: packet({ name: Buffer.of(0xc0, 18), more: [cart] }), ...formErr },
  { input: 'a pointer into the header', bytes: packet({ name: Buffer.of(0xc0, 4) }), ...formErr },
  { input: 'pointers in a ring', bytes: packet({ name: Buffer.of(0xc0, 14, 0xc0, 12) }), ...formErr },
  { input: 'a label and a pointer back to it', bytes: packet({ name: Buffer.of(1, 0x78, 0xc0, 12) }), ...formErr },
  { input: 'half a pointer', bytes: packet().subarray(0, 12).fill(0xc0, 12), ...formErr },
  { input: 'a name without an end', bytes: packet().subarray(0, 30), ...formErr },
  { input: 'a question without a class', bytes: packet().subarray(0, packet().length - 1), ...formErr },
  {
    input: 'bytes 0x00 and 0xFF in a label',
    bytes: packet({ name: Buffer.of(4, 0, 255, 0, 254, 0) }),
    answer: 'NXDOMAIN',
  },
  {
    input: 'a dot inside a label',
    bytes: packet({ name: Buffer.concat([Buffer.from('\x09cart.shop'), wire('svc.cluster.local')]) }),
    answer: 'NXDOMAIN',
  },
  { input: 'a name in mixed case', bytes: packet({ name: wire('CaRt.sHOp.SVC.cluster.LOCAL') }), answer: 'NOERROR' },
  { input: 'punycode', bytes: packet({ name: wire('xn--bcher-kva.shop.svc.cluster.local') }), answer: 'NXDOMAIN' },
  { input: 'the root', bytes: packet({ name: Buffer.of(0) }), answer: 'NXDOMAIN' },

  { input: 'type 0', bytes: packet({ type: 0 }), answer: 'NOERROR' },
  { input: 'type OPT', bytes: packet({ type: 41 }), answer: 'FORMERR' },
  { input: 'type TKEY', bytes: packet({ type: 249 }), answer: 'NOTIMP' },
  { input: 'type TSIG', bytes: packet({ type: 250 }), answer: 'FORMERR' },
  { input: 'type IXFR', bytes: packet({ type: 251 }), answer: 'REFUSED' },
  { input: 'type AXFR', bytes: packet({ type: 252 }), answer: 'REFUSED' },
  { input: 'type MAILB', bytes: packet({ type: 253 }), answer: 'NOTIMP' },
  { input: 'type MAILA', bytes: packet({ type: 254 }), answer: 'NOTIMP' },
  { input: 'type ANY', bytes: packet({ type: 255 }), answer: 'NOERROR' },
  { input: 'type 65535', bytes: packet({ type: 65_535 }), answer: 'NOERROR' },
  {
    input: 'type TSIG of a name that is not there',
    bytes: packet({ name: wire('nope.cluster.local'), type: 250 }),
    answer: 'FORMERR',
  },
  {
    input: 'type TKEY of a name of others',
    bytes: packet({ name: wire('www.example.com'), type: 249 }),
    answer: 'NOTIMP',
  },
  { input: 'AXFR of a zone of others', bytes: packet({ name: wire('example.com'), type: 252 }), answer: 'REFUSED' },
  {
    input: 'IXFR with what is no SOA',
    bytes: packet({ type: 251, counts: [1, 0, 1, 0], more: [record] }),
    answer: 'FORMERR',
  },
  { input: 'class ANY', bytes: packet({ class: 255 }), answer: 'REFUSED' },
  { input: 'class CH', bytes: packet({ class: 3 }), answer: 'REFUSED' },
  { input: 'class NONE', bytes: packet({ class: 254 }), answer: 'REFUSED' },
  { input: 'class 0', bytes: packet({ class: 0 }), answer: 'REFUSED' },

  { input: 'two OPT records', bytes: withOpt({}, opt()), answer: 'FORMERR' },
  { input: 'OPT as an answer', bytes: packet({ counts: [1, 1, 0, 0], more: [opt()] }), ...formErr },
  { input: 'OPT as an authority', bytes: packet({ counts: [1, 0, 1, 0], more: [opt()] }), answer: 'FORMERR' },
  { input: 'OPT of a name', bytes: withOpt({ owner: wire('x') }), answer: 'FORMERR' },
  { input: 'OPT that is longer than the message', bytes: withOpt({ length: 4 }), answer: 'FORMERR' },
  { input: 'an option longer than OPT', bytes: withOption(3, 0, 1), answer: 'FORMERR' },
  { input: 'half an option', bytes: withOpt({ options: Buffer.of(0, 3, 0) }), answer: 'FORMERR' },
  ...[0, 1, 7, 9, 15, 41, 255].map((length) => ({
    input: `a cookie of ${length} bytes`,
    bytes: withOption(10, length),
    answer: 'FORMERR',
  })),
  ...[8, 16, 24, 40].map((length) => ({
    input: `a cookie of ${length} bytes that is not ours`,
    bytes: withOption(10, length),
    answer: 'NOERROR',
  })),
  { input: 'a client subnet of one byte', bytes: withOption(8, 1), answer: 'NOERROR' },
  { input: 'a keepalive with a time', bytes: withOption(11, 2), answer: 'NOERROR' },
  {
    input: 'a hundred unknown options',
    bytes: withOpt({ options: Buffer.concat(Array.from({ length: 100 }, (_, code) => option(1000 + code, 4))) }),
    answer: 'NOERROR',
  },
  ...[0, 1, 511, 65_535].map((size) => ({ input: `EDNS size ${size}`, bytes: withOpt({ size }), answer: 'NOERROR' })),
  { input: 'a signature by an unknown key', bytes: packet({ counts: [1, 0, 0, 1], more: [tsig] }), answer: 'NOTAUTH' },
  { input: 'a signature before OPT', bytes: packet({ counts: [1, 0, 0, 2], more: [tsig, opt()] }), answer: 'FORMERR' },
  {
    input: 'a signature without its end',
    bytes: packet({ counts: [1, 0, 0, 1], more: [tsig.subarray(0, 30)] }),
    answer: 'FORMERR',
  },
];

const good = Buffer.concat([words(0x600d), packet().subarray(2)]);

/** A way to send and to hear, to one listener. */
interface Way extends Disposable {
  send(bytes: Uint8Array): void;
  /** The next message. */
  heard(): Promise<Buffer>;
}

/** Hands out what was pushed, one by one. */
function inbox(): { push(bytes: Buffer): void; heard(): Promise<Buffer> } {
  const { readable, writable } = new TransformStream<Buffer, Buffer>();
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  return {
    push: (bytes) => void writer.write(bytes),
    heard: async () => (await reader.read()).value ?? assert.fail('nothing more comes'),
  };
}

async function overUdp({ address, port }: Listener): Promise<Way> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  const { push, heard } = inbox();
  socket.on('message', push);
  socket.connect(port, address);
  await once(socket, 'connect');
  return { send: (bytes) => socket.send(bytes), heard, [Symbol.dispose]: () => socket.close() };
}

async function overTcp({ address, port }: Listener): Promise<Way> {
  const socket = connect(port, address);
  await once(socket, 'connect');
  const { push, heard } = inbox();
  const frames = createFrames((message) => push(Buffer.from(message)));
  socket.on('data', (chunk: Buffer) => frames(chunk));
  return {
    send: (bytes) => socket.write(Buffer.concat([words(bytes.length), bytes])),
    heard,
    [Symbol.dispose]: () => socket.destroy(),
  };
}

const listeners: AsyncDisposable[] = [];
const ways: [string, Way][] = [];

before(async () => {
  isolateNetwork();
  const { responder } = testResponder({
    changes: [
      { type: 'namespace', new: dnsNamespace() },
      { type: 'service', new: dnsService() },
    ],
    resolver: knowsNames({ 'www.example.com A': '192.0.2.1' }),
  });
  const opened = async (title: string, listener: Listener, over: (it: Listener) => Promise<Way>): Promise<void> => {
    listeners.unshift(listener);
    ways.push([title, await over(listener)]);
  };
  const pool = new WorkerPool(2, silentLogger);
  listeners.push(pool);
  for (const address of ['127.0.0.1', '::1']) {
    const where = { address, port: 0 };
    await opened(`UDP at ${address}`, listenUdpBatch(where, responder), overUdp);
    // Two askers, for both threads.
    const threads = pool.listen(where, responder);
    for (const asker of ['one', 'other']) await opened(`UDP of ${asker} in threads at ${address}`, threads, overUdp);
    await opened(`plain UDP at ${address}`, await listenUdpDgram(where, responder), overUdp);
    await opened(`TCP at ${address}`, await listenTcp(where, responder), overTcp);
  }
});

after(async () => {
  for (const [, way] of ways) way[Symbol.dispose]();
  // The pool of threads was there first, and goes last.
  for (const listener of new Set(listeners)) await listener[Symbol.asyncDispose]();
});

/** The answer in a word, checked to be one to the question. */
function checked(bytes: Buffer, sent: Buffer, question: 'none' | undefined): string {
  const message = readMessage(bytes);
  assert.ok(!('malformed' in message), bytes.toString('hex'));
  assert.ok((message.flags & flags.QR) !== 0 && message.id === id);
  assert.equal(message.flags & 0x40, 0, 'the reserved bit');
  const [asked] = message.questions;
  const name = asked && Buffer.from(asked.name, 'latin1');
  if (question === 'none') assert.equal(asked, undefined);
  else assert.deepEqual(name, sent.subarray(12, 12 + (name?.length ?? 0)));
  return rcodeName(message.rcode);
}

for (const { input, bytes, answer, question } of cases) {
  test(`${input}: ${answer}`, async () => {
    for (const [title, way] of ways) {
      way.send(bytes);
      if (answer !== silent) assert.equal(checked(await way.heard(), bytes, question), answer, title);
      // It is still there, and has nothing more to say about the other.
      way.send(good);
      assert.equal((await way.heard()).readUInt16BE(0), 0x600d, title);
    }
  });
}
