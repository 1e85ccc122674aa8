import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRecord } from '../presentation.ts';
import type { ResourceRecord } from '../wire/message.ts';
import { nameKey, parseName } from '../wire/names.ts';
import { parseRecord, parseZoneFile } from './parse.ts';

const origin = parseName('example.com') ?? '\0';

function read(text: string): ResourceRecord[] {
  return parseZoneFile(text, 'db', origin, () => undefined);
}

const mistakes: readonly [title: string, text: string, error: RegExp][] = [
  ['an SOA in hex that is too short', '@ 60 SOA \\# 2 0000', /^db:1: SOA has no such data/],
  ['an alias in hex that is no name', 'a 60 CNAME \\# 2 c000', /^db:1: CNAME has no such data/],
  [
    'a number of a million digits',
    '$GENERATE 0-3 ${0,1000000} 60 A 192.0.2.1',
    /^db:1: \$GENERATE makes numbers of at most 255/,
  ],
  ['an address in hex of three bytes', 'a 60 A \\# 3 c00002', /^db:1: A has no such data/],
];

for (const [title, text, error] of mistakes) {
  test(`${title} is an error that says where`, () => {
    assert.throws(() => read(text), { name: 'SettingsError', message: error });
  });
}

test('letters beyond ASCII keep their case and do not end a word', () => {
  const [record] = read('ÉÀ 60 TXT àÉ');
  assert.equal(record?.name, nameKey(parseName('ÉÀ.example.com') ?? '\0'));
  assert.equal(Buffer.from(record?.rdata ?? []).toString('utf8', 1), 'àÉ');
});

test('what is shown of a record is a record of a zone file', () => {
  const times = 'a. b. 1 4294967295 2147483648 3 4';
  for (const text of [
    `a.\t1\tIN\tSOA\t${times}`,
    'a.\t1\tIN\tTXT\t\\# 0',
    'a.\t1\tIN\tHINFO\t\\# 2 0178',
    'a.\t1\tIN\tHINFO\t\\# 3 000000',
  ]) {
    assert.equal(formatRecord(parseRecord(text, 'db', 1)), text);
  }
});
