import assert from 'node:assert/strict';
import { formatMessage, formatRecord } from '../../../src/dns/presentation.ts';
import { parseRecord } from '../../../src/dns/zone-file/parse.ts';
import { readMessage } from '../../../src/dns/wire/message.ts';
import type { Message, ResourceRecord } from '../../../src/dns/wire/message.ts';
import { nameKey } from '../../../src/dns/wire/names.ts';
import { classIn, typeName, typeNumbers } from '../../../src/dns/wire/types.ts';
import { writeMessage } from '../../../src/dns/wire/writer.ts';
import { mutatePacket, randomName, randomOpt, randomRecord, withoutCase } from '../dns-packets.ts';
import type { Random } from '../random.ts';
import type { Target } from '../target.ts';

/** Whole messages, as upstream servers and other name servers send them. */
export const dnsMessage: Target = {
  name: 'dns-message',
  form: 'bytes',
  generate: randomMessage,
  mutate: mutatePacket,
  check(packet) {
    const message = readMessage(packet);
    if ('malformed' in message) return message.malformed;
    const records = [...message.answers, ...message.authorities, ...message.additionals];
    checkWriting(message);
    if (message.id % 4 === 0) assert.ok(formatMessage(message).every((line) => !line.includes('\n')));
    // Each record in its turn: text takes longer than all the rest.
    const some = records[message.id % 8];
    if (some !== undefined) checkText(some);
    const [first] = records;
    return `${first === undefined ? 'no record' : typeName(first.type)}${message.edns ? ', edns' : ''}`;
  },
};

function randomMessage(random: Random): Buffer {
  const records = (most: number): ResourceRecord[] => random.many(0, most, () => randomRecord(random));
  return writeMessage({
    id: random.next() & 0xffff,
    flags: random.next() & 0xffff,
    questions: random.oneIn(8) ? [] : [{ name: randomName(random), type: 1, class: 1 }],
    answers: records(4),
    authorities: records(2),
    additionals: records(2),
    opt: random.oneIn(2) ? randomOpt(random) : undefined,
  });
}

function checkWriting(message: Message): void {
  const bytes = writeMessage(message);
  const again = readMessage(bytes);
  if ('malformed' in again) throw new Error(`what was written is malformed: ${bytes.toString('hex')}`);
  for (const section of ['answers', 'authorities', 'additionals'] as const) {
    assert.equal(
      again[section].map(withoutCase).join(),
      message[section].map(withoutCase).join(),
      `the same ${section}`,
    );
  }
  assert.equal(again.id, message.id);
  assert.equal(again.flags, message.flags);
}

/** Types that only messages have. */
const metaTypes = new Set<number>([typeNumbers.OPT, typeNumbers.TSIG, typeNumbers.ANY]);

/** What is shown of a record is a record of a zone file that says the same. */
function checkText(record: ResourceRecord): void {
  if (record.class !== classIn || metaTypes.has(record.type)) return;
  const text = formatRecord(record);
  const read = parseRecord(text, 'text', 1);
  const lower = { ...record, name: nameKey(record.name) };
  assert.equal(textOf(read), textOf(lower), text);
}

function textOf({ name, type, ttl, rdata }: ResourceRecord): string {
  return `${name} ${type} ${ttl} ${Buffer.from(rdata).toString('hex')}`;
}
