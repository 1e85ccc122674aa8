import assert from 'node:assert/strict';
import {
  formatName,
  isWithin,
  labelsBefore,
  labelsOf,
  nameFromLabels,
  nameKey,
  parentOf,
  parseName,
  readName,
} from '../../../src/dns/wire/names.ts';
import type { Name } from '../../../src/dns/wire/names.ts';
import { Writer } from '../../../src/dns/wire/writer.ts';
import { mutatePacket, randomName } from '../dns-packets.ts';
import type { Random } from '../random.ts';
import type { Target } from '../target.ts';

/**
 * Names in packets, with compression pointers, and as text. An input is a packet that ends with the offset, two bytes, at
 * which a name is to be read.
 */
export const names: Target = {
  name: 'names',
  form: 'bytes',
  generate: randomPacket,
  mutate: mutatePacket,
  check(input) {
    if (input.length < 2) return 'short';
    const packet = input.subarray(0, -2);
    const offset = input.readUInt16BE(input.length - 2) % (packet.length + 2);
    const read = readName(packet, offset);
    const expected = readNaively(packet, offset);
    assert.deepEqual(read, expected, 'a plain reading of RFC 1035 gives something else');
    checkText(packet.toString('latin1', 12));
    if (read === undefined) return 'no name';
    checkName(read.name);
    const { name, end } = read;
    return `${Math.min(labelsOf(name).length, 8)} labels${end - offset < name.length ? ', a pointer' : ''}`;
  },
};

/** Some names behind a header, compressed as a writer does it. */
function randomPacket(random: Random): Buffer {
  const writer = new Writer();
  writer.header(0, 0, [0, 0, 0, 0]);
  let at = 12;
  for (let count = random.below(5); count >= 0; count -= 1) {
    at = writer.length;
    writer.name(randomName(random), true);
  }
  const offset = Buffer.alloc(2);
  offset.writeUInt16BE(at);
  return Buffer.concat([writer.bytes(), offset]);
}

/** Most pointers of one name that are followed. */
const mostPointers = 127;

/** RFC 1035 4.1.4, label by label; pointers lead to before where their piece began. */
function readNaively(packet: Buffer, offset: number): { name: Name; end: number } | undefined {
  const labels: number[] = [];
  let at = offset;
  let start = offset;
  let end: number | undefined;
  for (let pointers = 0; ;) {
    const length = packet[at];
    if (length === undefined || labels.length > 254) return undefined;
    if (length >= 192) {
      const low = packet[at + 1];
      end ??= at + 2;
      pointers += 1;
      const target = ((length & 63) << 8) | (low ?? 0);
      if (low === undefined || target >= start || pointers > mostPointers) return undefined;
      at = start = target;
      continue;
    }
    if (length > 63 || at + length >= packet.length) return undefined;
    labels.push(...packet.subarray(at, at + length + 1));
    at += length + 1;
    if (length === 0) break;
  }
  return labels.length > 255 ? undefined : { name: Buffer.from(labels).toString('latin1'), end: end ?? at };
}

function checkName(name: Name): void {
  const labels = labelsOf(name);
  assert.equal(nameFromLabels(labels), name, 'labels and name are one');
  assert.equal(parseName(formatName(name)), name, 'text and name are one');
  const key = nameKey(name);
  assert.equal(nameKey(key), key);
  assert.equal(key.length, name.length);
  const starts = new Uint8Array(128);
  let above: Name | undefined = key;
  for (let count = 0; above !== undefined; count += 1) {
    assert.ok(isWithin(key, above), 'a name is within those above it');
    assert.equal(labelsBefore(key, above, starts), count);
    above = parentOf(above);
  }
  checkWriter(name);
}

/** What is written, once whole and once compressed, reads as the same. */
function checkWriter(name: Name): void {
  const writer = new Writer();
  writer.header(0, 0, [0, 0, 0, 0]);
  writer.name(name, true);
  const second = writer.length;
  writer.name(name, true);
  const packet = writer.bytes();
  assert.equal(readName(packet, 12)?.name, name);
  assert.deepEqual(readName(packet, second), { name, end: packet.length });
  assert.ok(packet.length - second <= 2, 'a name that was written is a pointer');
}

/** Any text: what is read as a name can be written and read again. */
function checkText(text: string): void {
  const name = parseName(text);
  if (name !== undefined) assert.equal(parseName(formatName(name)), name, 'a name from text comes back from text');
}
