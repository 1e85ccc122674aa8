import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  bigintToIp,
  canonicalIp,
  dashedIp,
  familyOf,
  formatIp,
  ipToBigint,
  ipv4ToNumber,
  isIpv4Mapped,
  numberToIpv4,
  parseDashedIp,
  parseIp,
  unmapIp,
} from './ip.ts';

const canonical: readonly [text: string, expected: string | undefined][] = [
  ['10.0.0.1', '10.0.0.1'],
  ['255.255.255.255', '255.255.255.255'],
  ['0.0.0.0', '0.0.0.0'],
  ['010.0.0.1', undefined],
  ['10.0.0.00', undefined],
  ['10.0.0', undefined],
  ['10.0.0.1.', undefined],
  ['10.0.0.1.2', undefined],
  ['.10.0.0', undefined],
  ['256.0.0.1', undefined],
  ['1.2.3.+4', undefined],
  [' 1.2.3.4', undefined],
  ['', undefined],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['FD00:0:0::A', 'fd00::a'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
  ['::ffff:102:304', '::ffff:1.2.3.4'],
  ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ['1:2:3:4:5:6:7:8::', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined],
  ['1:2:3:4:5:6:7', undefined],
  [':1::2', undefined],
  ['1::2::3', undefined],
  [':::', undefined],
  ['1:2:3:4:5:6:7:', undefined],
  ['12345::', undefined],
  ['fe80::1%eth0', undefined],
  ['1.2.3.4::', undefined],
  ['g::', undefined],
];

for (const [text, expected] of canonical) {
  test(`canonical form of "${text}" is ${expected ?? 'no address'}`, () => assert.equal(canonicalIp(text), expected));
}

test('every address survives bytes, text, bigint', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }).map((list) => Uint8Array.from(list)),
  );
  fc.assert(
    fc.property(bytes, (address) => {
      const text = formatIp(address);
      assert.deepEqual(parseIp(text), address);
      const family = familyOf(text);
      assert.equal(family, address.length === 4 ? 'IPv4' : 'IPv6');
      assert.deepEqual(bigintToIp(ipToBigint(address), family), address);
      assert.deepEqual(canonicalIp(formatIp(parseDashedIp(dashedIp(text).replaceAll('.', '-')) ?? address)), text);
    }),
  );
});

test('Node accepts exactly the texts we accept', () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'0123456789abcf:.'), maxLength: 20 }),
    fc.ipV4(),
    fc.ipV6(),
  );
  fc.assert(
    fc.property(text, (value) => {
      assert.equal(parseIp(value)?.length === 4, isIPv4(value));
      assert.equal(parseIp(value)?.length === 16, isIPv6(value));
    }),
  );
});

test('IPv4 numbers are unsigned', () => {
  assert.equal(ipv4ToNumber('255.0.0.1'), 0xff000001);
  assert.equal(numberToIpv4(0xff000001), '255.0.0.1');
  assert.equal(ipv4ToNumber('::1'), undefined);
});

test('mapped addresses are recognised and unmapped', () => {
  const mapped = parseIp('::ffff:10.0.0.1') ?? new Uint8Array();
  assert.equal(isIpv4Mapped(mapped), true);
  assert.equal(formatIp(unmapIp(mapped)), '10.0.0.1');
});

test('dashed forms', () => {
  for (const [text, dashed] of [
    ['10.0.0.1', '10-0-0-1'],
    ['fd00::1', 'fd00--1'],
    ['fd00::', 'fd00--0'],
    ['::1', '0--1'],
  ] as const) {
    assert.equal(dashedIp(text), dashed);
    assert.equal(formatIp(parseDashedIp(dashed) ?? new Uint8Array(4)), text);
  }
  for (const label of ['10-0-0', 'web', '10-0-0-256', '', '1-2-3-4-5']) assert.equal(parseDashedIp(label), undefined);
});
