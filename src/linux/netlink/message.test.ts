import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, property, uint8Array } from 'fast-check';
import { eachAttribute, MessageWriter, readAttributes, readMessages, readString } from './message.ts';

test('a message is written in the layout of the kernel, attributes padded to four bytes', () => {
  const writer = new MessageWriter(4);
  const start = writer.begin(16, 5, 7);
  writer.u8(2).u8(0).u16be(1);
  writer.attributeString(3, 'lo').attributeU32be(4, 0x01020304).attributeU8(5, 9);
  const nest = writer.nest(6);
  writer.attribute(1, Buffer.from([1, 2, 3, 4, 5]));
  writer.endNest(nest).end(start);
  assert.equal(
    writer
      .written()
      .toString('hex')
      .replaceAll(/(.{8})/g, '$1 ')
      .trim(),
    '3c000000 10000500 07000000 00000000 02000001 07000300 6c6f0000 08000400 01020304 05000500 09000000 10000680 09000100 01020304 05000000',
  );
});

test('what was written is read back', () => {
  const writer = new MessageWriter();
  for (const sequence of [1, 2]) {
    const start = writer.begin(20, 0, sequence);
    writer.attributeString(1, `name-${sequence}`).attributeU64be(2, 5n);
    writer.end(start);
  }
  const messages = [...readMessages(writer.written())];
  assert.deepEqual(
    messages.map(({ type, sequence, payload }) => [type, sequence, readString(readAttributes(payload).get(1))]),
    [
      [20, 1, 'name-1'],
      [20, 2, 'name-2'],
    ],
  );
  assert.equal(messages[0] && readAttributes(messages[0].payload).get(2)?.readBigUInt64BE(0), 5n);
});

test('a nest longer than an attribute can be is an error, not a wrong message', () => {
  const writer = new MessageWriter();
  const nest = writer.nest(1);
  for (let count = 0; count < 9000; count += 1) writer.attributeU32(1, count);
  assert.throws(() => writer.endNest(nest), RangeError);
});

test('bytes that are no netlink at all are read without harm', () => {
  check(
    property(uint8Array({ maxLength: 200 }), (bytes) => {
      for (const message of readMessages(Buffer.from(bytes))) {
        eachAttribute(message.payload, 0, (_, value) => assert.ok(value.length <= bytes.length));
      }
    }),
  );
});
