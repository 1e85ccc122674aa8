import assert from 'node:assert/strict';
import { readReal, readServer } from '../../../src/linux/ipvs/servers.ts';
import {
  eachAttribute,
  MessageWriter,
  readAttributes,
  readMessages,
  readString,
} from '../../../src/linux/netlink/message.ts';
import { ElementView, eachListed } from '../../../src/linux/nftables/element-view.ts';
import { readComment } from '../../../src/linux/nftables/userdata.ts';
import { mutateBytes } from '../byte-mutations.ts';
import type { Random } from '../random.ts';
import type { Target } from '../target.ts';

/** Datagrams of the kernel: messages, attributes in attributes, listed set elements and virtual servers. */
export const netlink: Target = {
  name: 'netlink',
  form: 'bytes',
  generate: randomDatagram,
  mutate: mutateBytes,
  check(datagram) {
    let end = 0;
    let messages = 0;
    let attributes = 0;
    for (const { payload } of readMessages(datagram)) {
      const start = payload.byteOffset - datagram.byteOffset;
      assert.ok(start >= end + 16 && start + payload.length <= datagram.length, 'messages follow each other');
      end = start + payload.length;
      messages += 1;
      attributes += countAttributes(payload, 4, 0);
    }
    const what = [
      readElements(datagram),
      attempt(() => readServer(datagram)),
      attempt(() => readReal(datagram, 'IPv6')),
    ];
    assert.ok(readString(datagram).length <= datagram.length);
    assert.ok((readComment(datagram) ?? '').length <= 255);
    return `${Math.min(messages, 4)} messages, ${Math.min(attributes, 8)} attributes, ${what.join(' ')}`;
  },
};

/** Attributes that do not begin where the one before ends, or that are not inside, would be counted again and again. */
function countAttributes(data: Buffer, offset: number, depth: number): number {
  let count = 0;
  let end = offset;
  eachAttribute(data, offset, (type, value) => {
    const start = value.byteOffset - data.byteOffset;
    assert.ok(
      type <= 0x3fff && start >= end + 4 && start + value.length <= data.length,
      'attributes follow each other',
    );
    end = start + value.length;
    count += 1;
    if (depth < 4) count += countAttributes(value, 0, depth + 1);
  });
  assert.ok(readAttributes(data, offset).size <= count);
  return count;
}

/** Numbers that are cut short are the only thing a reader may throw for. */
function attempt(read: () => unknown): string {
  try {
    return read() === undefined ? '-' : 'read';
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return 'short';
  }
}

function readElements(payload: Buffer): string {
  let elements = 0;
  const read = attempt(() => {
    eachListed(payload, new ElementView(), (element) => {
      elements += 1;
      const parts = [element.key(), element.keyEnd(), element.data(), element.chain(), element.comment()];
      assert.ok(parts.every((part) => (part?.length ?? 0) <= payload.length) && element.packets() >= 0n);
    });
    return elements;
  });
  assert.ok(elements <= payload.length / 4);
  return `${Math.min(elements, 2)} ${read}`;
}

function randomDatagram(random: Random): Buffer {
  const writer = new MessageWriter(256);
  for (let count = random.below(4); count >= 0; count -= 1) {
    const start = writer.begin(random.below(64), random.below(8), random.next());
    writer.u32(random.next());
    for (let more = random.below(5); more > 0; more -= 1) writeAttribute(writer, random, 0);
    if (random.oneIn(2)) writeElements(writer, random);
    writer.end(start);
  }
  // Readers of a payload alone, without the header before.
  return Buffer.from(random.oneIn(2) ? writer.written() : writer.written().subarray(16));
}

function writeAttribute(writer: MessageWriter, random: Random, depth: number): void {
  const type = random.below(12);
  switch (random.below(depth < 3 ? 7 : 6)) {
    case 0:
      return void writer.attribute(type, random.bytes(random.pick([0, 1, 2, 3, 4, 8, 16, 36, 200])));
    case 1:
      return void writer.attributeU8(type, random.next());
    case 2:
      return void writer.attributeU16(type, random.pick([2, 6, 10, 17, 132]));
    case 3:
      return void writer.attributeU32(type, random.next());
    case 4:
      return void writer.attributeString(type, random.pick(['', 'rr', 'lo', 'a comment']));
    case 5:
      return void writer.attributeU64be(type, BigInt(random.next()));
    default: {
      const nest = writer.nest(type);
      for (let more = random.below(4); more > 0; more -= 1) writeAttribute(writer, random, depth + 1);
      writer.endNest(nest);
    }
  }
}

/** A list of set elements, as nf_tables sends one: key, data or verdict, comment. */
function writeElements(writer: MessageWriter, random: Random): void {
  const list = writer.nest(3);
  for (let more = random.below(4); more > 0; more -= 1) {
    const item = writer.nest(1);
    const value = (type: number): void => {
      const nest = writer.nest(type);
      writer.attribute(random.oneIn(4) ? 2 : 1, random.bytes(random.pick([4, 8, 16])));
      writer.endNest(nest);
    };
    value(1);
    if (random.oneIn(2)) value(2);
    if (random.oneIn(4)) value(10);
    if (random.oneIn(4)) writer.attributeU32be(3, 1);
    if (random.oneIn(2)) writer.attribute(6, Buffer.from([0, 3, 97, 98, 0]));
    writer.endNest(item);
  }
  writer.endNest(list);
}
