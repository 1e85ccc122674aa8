import assert from 'node:assert/strict';
import { formatRecord } from '../../../src/dns/presentation.ts';
import { parseRecord, parseZoneFile } from '../../../src/dns/zone-file/parse.ts';
import { ZoneData } from '../../../src/dns/zone-file/zone.ts';
import type { ResourceRecord } from '../../../src/dns/wire/message.ts';
import { readMessage } from '../../../src/dns/wire/message.ts';
import { parseName } from '../../../src/dns/wire/names.ts';
import { typeName } from '../../../src/dns/wire/types.ts';
import { writeMessage } from '../../../src/dns/wire/writer.ts';
import { randomRecord, withoutCase } from '../dns-packets.ts';
import type { Random } from '../random.ts';
import { readOrError } from '../settings-check.ts';
import { kindOfMessage, textTarget } from '../target.ts';
import type { Target } from '../target.ts';
import { mutateText } from '../text-mutations.ts';

const file = 'db';
const origin = parseName('example.com') ?? '\0';

const lines = [
  '$TTL 1h',
  '$ORIGIN sub.example.com.',
  '$INCLUDE other www',
  '$INCLUDE db',
  '$GENERATE 1-20/3 h-${0,3,d} A 10.0.0.$',
  '$GENERATE 0-3 ${0,4,x} 60 IN CNAME h-$',
  '@ IN SOA ns host ( 1 2h 3m\n 4w ; expire\n 5 )',
  '@ 60 NS ns',
  'ns A 192.0.2.1',
  '  AAAA 2001:db8::1',
  '* MX 10 mail.example.org.',
  'www 1d IN CNAME @',
  'txt TXT "a b" c "\\"\\065"',
  '_a._tcp SRV 0 1 443 www',
  'n NAPTR 1 2 "u" "E2U+sip" "!^.*$!sip:a@b!" .',
  'c CAA 0 issue "ca.example"',
  's SSHFP 1 1 00ff',
  'd DS 1 2 3 ABCD EF',
  'k DNSKEY 256 3 8 AwEAAa==',
  'h HTTPS 1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1,192.0.2.2 ech="AAAA"',
  'v SVCB 0 svc mandatory=port port=1 key667="x y" ipv6hint=2001:db8::1 dohpath=/q{?dns}',
  'u TYPE4242 \\# 3 00ff 10',
  'r RP a.b c.d',
  'i HINFO "x" y',
  't TLSA 1 1 1 aabb',
  'w URI 1 2 "https://a"',
  'deep DNAME other.example.',
  'a\\.b\\032c A 192.0.2.3',
  '; a comment',
  '',
];
const words =
  `${lines.join(' ')} 1h 1w2d 0 $ORIGIN $TTL $INCLUDE $GENERATE IN CH ${'a'.repeat(63)} ${'a'.repeat(64)} a..b \\256 \\# @ . ${'$'}{1,2,o} ${'$'}{0,9999999} \\$`.split(
    /[ \n]+/,
  );

/** Zone files, and the zones they make. */
export const zoneFile: Target = textTarget({
  name: 'zone-file',
  generate: (random) => random.many(1, 8, () => randomLine(random)).join('\n'),
  mutate: (random, text, other) => mutateText(random, text, other, words),
  check(text) {
    // Each may make tens of thousands of records.
    if (text.split('$GENERATE').length > 3) return 'many of $GENERATE';
    const read = readOrError(text, file, () =>
      parseZoneFile(text, file, origin, (path) => (path === file ? text : undefined)),
    );
    if ('mistake' in read) return kindOfMessage(read.mistake);
    checkRecords(read.value);
    return `${checkZone(read.value)} ${read.value[0] === undefined ? '' : typeName(read.value[0].type)}`;
  },
});

function randomLine(random: Random): string {
  return random.oneIn(3) ? formatRecord(randomRecord(random)) : random.pick(lines);
}

/** Each as text again, and all of them through a message. */
function checkRecords(records: readonly ResourceRecord[]): void {
  const some = records.slice(0, 3);
  for (const record of some) {
    const text = formatRecord(record);
    assert.equal(textOf(parseRecord(text, file, 1)), textOf(record), text);
    const message = readMessage(writeMessage({ id: 1, flags: 0, questions: [], answers: [record] }));
    assert.ok(!('malformed' in message), `${text} has no valid RDATA`);
    assert.equal(message.answers.map(withoutCase).join(), withoutCase(record), text);
  }
}

function textOf({ name, type, ttl, rdata }: ResourceRecord): string {
  return `${name} ${type} ${ttl} ${Buffer.from(rdata).toString('hex')}`;
}

/** Records may be no zone; if they are, every one of them is found. */
function checkZone(records: readonly ResourceRecord[]): string {
  let zone: ZoneData;
  try {
    zone = new ZoneData(origin, records);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return 'no zone';
  }
  const kinds = records.slice(0, 20).map(({ name, type }) => zone.find(name, type).kind);
  assert.ok(!kinds.includes('missing'), 'a record that is there is found');
  return 'a zone';
}
