import type { Client } from '../client.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { extendedErrorsOf, writeEdns } from './edns.ts';
import { readMessage } from './message.ts';
import type { ResourceRecord } from './message.ts';
import { formatName, isWithin, labelsOf, nameFromLabels, nameKey, parseName, readName } from './names.ts';
import { readQuery } from './query.ts';
import { nameRdata, soaRdata, srvRdata, stringsRdata } from './rdata.ts';
import { classIn, flags, rcodes, typeName, typeNumber, typeNumbers } from './types.ts';
import { writeMessage } from './writer.ts';

const label = fc.oneof(
  fc.constantFrom('www', 'WWW', 'example', 'com', 'a.b', '\x00\xff', '_tcp', 'x'.repeat(63)),
  fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);
const name = fc.array(label, { maxLength: 6 }).map((labels) => nameFromLabels(labels) ?? '\0');

const rdata = fc.oneof(
  fc.record({ type: fc.constantFrom(typeNumbers.NS, typeNumbers.CNAME, typeNumbers.PTR), rdata: name.map(nameRdata) }),
  fc.record({ type: fc.constant(typeNumbers.SRV), rdata: name.map((target) => srvRdata(1, 2, 80, target)) }),
  fc.record({
    type: fc.constant(typeNumbers.SOA),
    rdata: fc
      .tuple(name, name)
      .map(([a, b]) => soaRdata(a, b, { serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 })),
  }),
  fc.record({ type: fc.constant(typeNumbers.A), rdata: fc.uint8Array({ minLength: 4, maxLength: 4 }) }),
  fc.record({ type: fc.constant(typeNumbers.TXT), rdata: fc.array(fc.string({ maxLength: 20 })).map(stringsRdata) }),
  fc.record({ type: fc.constantFrom(65, 257, 4242), rdata: fc.uint8Array({ maxLength: 40 }) }),
);

const record: fc.Arbitrary<ResourceRecord> = fc
  .record({ name, ttl: fc.nat(0x7fffffff), data: rdata })
  .map(({ name, ttl, data }) => ({ name, class: classIn, ttl, type: data.type, rdata: Uint8Array.from(data.rdata) }));

/** Who asks does not matter to reading. */
const client: Client = { transport: 'udp', address: () => '192.0.2.7' };

test('a message survives being written and read, whatever its names and records', () => {
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 8 }),
      fc.array(record, { maxLength: 3 }),
      name,
      (answers, extra, asked) => {
        const question = { name: asked, type: typeNumbers.ANY, class: classIn };
        const bytes = writeMessage({
          id: 7,
          flags: flags.QR | flags.AA,
          questions: [question],
          answers,
          additionals: extra,
          opt: writeEdns(rcodes.BADVERS, true, { code: 3, text: 'old' }),
        });
        const message = readMessage(bytes);
        assert.ok(!('malformed' in message));
        assert.deepEqual(message.questions, [question]);
        // Compressing takes the case of what was written first (RFC 4343 allows it), so names compare without case.
        assert.deepEqual(message.answers.map(folded), answers.map(folded));
        assert.deepEqual(message.additionals.map(folded), extra.map(folded));
        assert.equal(message.rcode, rcodes.BADVERS);
        assert.equal(message.edns?.dnssecOk, true);
        assert.deepEqual(extendedErrorsOf(message.edns.options), [{ code: 3, text: 'old' }]);
      },
    ),
  );
});

function folded(record: ResourceRecord): unknown[] {
  const isText = record.type === typeNumbers.A || record.type === typeNumbers.TXT || record.type > 50;
  const bytes = Buffer.from(record.rdata).toString('latin1');
  return [nameKey(record.name), record.type, record.ttl, isText ? bytes : nameKey(bytes)];
}

test('names survive presentation format', () => {
  fc.assert(
    fc.property(name, (value) => {
      assert.equal(parseName(formatName(value)), value);
      assert.deepEqual(nameFromLabels(labelsOf(value)) ?? '\0', value);
      assert.deepEqual(readName(Buffer.from(value, 'latin1'), 0), { name: value, end: value.length });
    }),
  );
});

test('texts that are no names', () => {
  for (const text of ['', '..', 'a..b', '.a', `${'x'.repeat(64)}.com`, 'a\\', 'a\\256', `${'abcdefg.'.repeat(32)}`]) {
    assert.equal(parseName(text), undefined, text);
  }
  assert.equal(parseName('a\\.b.C.'), '\x03a.b\x01C\0');
  assert.equal(formatName('\x03a.b\x02\x00\xff\0'), 'a\\.b.\\000\\255.');
});

test('a name is within a zone only at a label', () => {
  assert.equal(isWithin('\x01a\x05local\0', '\x05local\0'), true);
  assert.equal(isWithin('\x05local\0', '\x05local\0'), true);
  assert.equal(isWithin('\x07\x05local\0\0', '\x05local\0'), false);
  assert.equal(isWithin('\x06xlocal\0', '\x05local\0'), false);
});

test('compression pointers may only lead backwards, and label types are plain', () => {
  const cases: readonly [bytes: number[], offset: number, name: string | undefined][] = [
    [[1, 97, 0, 1, 98, 0xc0, 0], 3, '\x01b\x01a\0'],
    [[0xc0, 0], 0, undefined],
    [[1, 97, 0xc0, 0], 0, undefined],
    [[0xc0, 2, 0xc0, 0], 0, undefined],
    [[0x40, 0], 0, undefined],
    [[0x80, 0], 0, undefined],
    [[5, 97], 0, undefined],
    [[0xc0], 0, undefined],
    [[], 0, undefined],
  ];
  for (const [bytes, offset, expected] of cases) {
    assert.equal(readName(Buffer.from(bytes), offset)?.name, expected, JSON.stringify(bytes));
  }
});

test('a chain of more pointers than a name can have labels is no name', () => {
  const chain = (pointers: number): Buffer => {
    const packet = Buffer.alloc(13 + 2 * pointers);
    for (let index = 0; index < pointers; index += 1) {
      packet.writeUInt16BE(0xc000 | (index === 0 ? 12 : 11 + 2 * index), 13 + 2 * index);
    }
    return packet;
  };
  assert.equal(readName(chain(127), 11 + 2 * 127)?.name, '\0');
  assert.equal(readName(chain(128), 11 + 2 * 128), undefined);
});

test('a name may have 255 bytes, not more', () => {
  const longest = '\x3f' + 'x'.repeat(63);
  const labels = longest.repeat(3);
  assert.notEqual(readName(Buffer.from(`${labels}\x3d${'y'.repeat(61)}\0`, 'latin1'), 0), undefined);
  assert.equal(readName(Buffer.from(`${labels}\x3e${'y'.repeat(62)}\0`, 'latin1'), 0), undefined);
});

test('types by name and number', () => {
  assert.equal(typeNumber('srv'), 33);
  assert.equal(typeNumber('TYPE666'), 666);
  assert.equal(typeNumber('toString'), undefined);
  assert.equal(typeNumber('TYPE65536'), undefined);
  assert.equal(typeName(28), 'AAAA');
  assert.equal(typeName(666), 'TYPE666');
});

const query = writeMessage({
  id: 1,
  flags: flags.RD,
  questions: [{ name: '\x03www\x07Example\x03com\0', type: 1, class: 1 }],
  opt: writeEdns(0, true),
});

function patched(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(query);
  change(bytes);
  return bytes;
}

test('requests that are refused, each with its code', () => {
  const cases: readonly [name: string, bytes: Buffer, refuse: number | 'ignore'][] = [
    ['nothing', Buffer.alloc(0), 'ignore'],
    ['half a header', query.subarray(0, 11), 'ignore'],
    ['an answer', patched((bytes) => (bytes[2] = 0x80)), 'ignore'],
    ['opcode UPDATE', patched((bytes) => (bytes[2] = 5 << 3)), rcodes.NOTIMP],
    ['no question (D7)', patched((bytes) => (bytes[5] = 0)), rcodes.FORMERR],
    ['two questions', patched((bytes) => (bytes[5] = 2)), rcodes.FORMERR],
    ['an answer in a question', patched((bytes) => (bytes[7] = 1)), rcodes.FORMERR],
    ['more additional records than there are bytes', patched((bytes) => (bytes[11] = 2)), rcodes.FORMERR],
    ['three additional records', patched((bytes) => (bytes[11] = 3)), rcodes.FORMERR],
    ['a header only', query.subarray(0, 12), rcodes.FORMERR],
    ['a question that is cut', query.subarray(0, 20), rcodes.FORMERR],
    ['class HS', patched((bytes) => (bytes[32] = 4)), rcodes.REFUSED],
    ['an authority record in a question', patched((bytes) => (bytes[9] = 1)), rcodes.FORMERR],
    [
      'two authority records in an IXFR question',
      patched((bytes) => ((bytes[30] = 251), (bytes[9] = 2))),
      rcodes.FORMERR,
    ],
    ['EDNS version 1', patched((bytes) => (bytes[39] = 1)), rcodes.BADVERS],
    ['a name of pointers', patched((bytes) => bytes.set([0xc0, 0x0c], 12)), rcodes.FORMERR],
  ];
  for (const [name, bytes, refuse] of cases) {
    const read = readQuery(bytes, client);
    assert.ok('refuse' in read, name);
    assert.equal(read.refuse, refuse, name);
  }
});

test('a request keeps the case it was asked in', () => {
  const read = readQuery(query, client);
  assert.ok(!('refuse' in read));
  assert.equal(read.name, '\x03www\x07Example\x03com\0');
  assert.equal(read.key, '\x03www\x07example\x03com\0');
  assert.equal(read.edns?.dnssecOk, true);
});

/** A small generator with a seed: the same garbage every time. */
function garbage(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}

test('200,000 damaged packets are read or refused, never thrown at', () => {
  const next = garbage(20261123);
  const base = writeMessage({
    id: 1,
    flags: flags.QR,
    questions: [{ name: '\x01a\x07example\x03com\0', type: 33, class: 1 }],
    answers: [
      {
        name: '\x01a\x07example\x03com\0',
        type: 33,
        class: 1,
        ttl: 5,
        rdata: srvRdata(0, 0, 1, '\x01b\x07example\x03com\0'),
      },
      {
        name: '\x01a\x07example\x03com\0',
        type: 6,
        class: 1,
        ttl: 5,
        rdata: soaRdata('\x01b\0', '\x01c\0', { serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 }),
      },
    ],
    opt: writeEdns(0, false, { code: 1, text: 'x' }),
  });
  for (let i = 0; i < 200_000; i += 1) {
    const bytes = Buffer.from(i % 2 === 0 ? base : query);
    for (let k = next() % 6; k >= 0; k -= 1) bytes[next() % bytes.length] = next() % 5 === 0 ? 0xc0 : next() & 255;
    const cut = bytes.subarray(0, i % 3 === 0 ? next() % (bytes.length + 1) : bytes.length);
    readMessage(cut);
    readQuery(cut, client);
  }
});
