import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cookieState, serverCookie } from './cookies.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** The test vectors of RFC 9018, appendix A. */
const vectors: readonly [
  title: string,
  secret: string,
  client: string,
  address: string,
  time: number,
  cookie: string,
][] = [
  [
    'A.1',
    'e5e973e5a6b2a43f48e7dc849e37bfcf',
    '2464c4abcf10c957',
    '198.51.100.100',
    1559731985,
    '2464c4abcf10c957010000005cf79f111f8130c3eee29480',
  ],
  [
    'A.2',
    'e5e973e5a6b2a43f48e7dc849e37bfcf',
    '2464c4abcf10c957',
    '198.51.100.100',
    1559734385,
    '2464c4abcf10c957010000005cf7a871d4a564a1442aca77',
  ],
  [
    'A.4',
    '445536bcd2513298075a5d379663c962',
    '22681ab97d52c298',
    '2001:db8:220:1:59de:d0f4:8769:82b8',
    1559741961,
    '22681ab97d52c298010000005cf7c609a6bb79d16625507a',
  ],
];

for (const [title, secret, client, address, time, cookie] of vectors) {
  test(`a server cookie is made as RFC 9018 ${title} shows`, () => {
    const made = serverCookie(hex(client), address, hex(secret), time);
    assert.equal(Buffer.from(made).toString('hex'), cookie);
    assert.equal(cookieState(made, address, hex(secret), time + 60), 'good');
  });
}

test('a cookie is good for its address and an hour, under one secret', () => {
  const secret = hex('e5e973e5a6b2a43f48e7dc849e37bfcf');
  const cookie = serverCookie(hex('0011223344556677'), '192.0.2.1', secret, 1_000_000);
  assert.equal(cookieState(cookie, '192.0.2.1', secret, 1_003_600), 'good');
  assert.equal(cookieState(cookie, '192.0.2.1', secret, 1_003_601), 'unknown');
  assert.equal(cookieState(cookie, '192.0.2.1', secret, 999_700), 'good');
  assert.equal(cookieState(cookie, '192.0.2.1', secret, 999_699), 'unknown');
  assert.equal(cookieState(cookie, '192.0.2.2', secret, 1_000_000), 'unknown');
  assert.equal(cookieState(cookie, '192.0.2.1', hex('00112233445566778899aabbccddeeff'), 1_000_000), 'unknown');
});

test('lengths that a cookie cannot have are malformed', () => {
  const secret = new Uint8Array(16);
  for (const length of [1, 7, 9, 15, 41]) {
    assert.equal(cookieState(new Uint8Array(length), '192.0.2.1', secret, 0), 'malformed', String(length));
  }
  for (const length of [8, 16, 23, 40]) {
    assert.equal(cookieState(new Uint8Array(length), '192.0.2.1', secret, 0), 'unknown', String(length));
  }
});
