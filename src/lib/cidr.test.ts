import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cidrAddress,
  cidrAddresses,
  cidrContains,
  cidrContainsCidr,
  cidrIndex,
  cidrLast,
  cidrSize,
  cidrsOverlap,
  isStrictCidr,
  parseCidr,
} from './cidr.ts';
import type { Cidr } from './cidr.ts';

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  assert.ok(parsed, text);
  return parsed;
}

test('ranges are parsed with their host bits cleared', () => {
  for (const [text, expected] of [
    ['10.96.0.0/16', '10.96.0.0/16'],
    ['10.96.3.4/16', '10.96.0.0/16'],
    ['10.96.3.255/25', '10.96.3.128/25'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['1.2.3.4/32', '1.2.3.4/32'],
    ['FD00::1/108', 'fd00::/108'],
    ['10.0.0.0/33', undefined],
    ['10.0.0.0/08', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0', undefined],
    ['fd00::/129', undefined],
    ['010.0.0.0/8', undefined],
  ] as const) {
    assert.equal(parseCidr(text)?.text, expected, text);
  }
  assert.equal(isStrictCidr('10.96.0.0/16'), true);
  assert.equal(isStrictCidr('10.96.0.1/16'), false);
});

test('membership', () => {
  const range = cidr('10.96.128.0/17');
  assert.equal(cidrContains(range, '10.96.128.0'), true);
  assert.equal(cidrContains(range, '10.96.255.255'), true);
  assert.equal(cidrContains(range, '10.96.127.255'), false);
  assert.equal(cidrContains(range, '::ffff:10.96.128.1'), false);
  assert.equal(cidrContains(range, 'nonsense'), false);
  assert.equal(cidrContainsCidr(cidr('10.96.0.0/16'), range), true);
  assert.equal(cidrContainsCidr(range, cidr('10.96.0.0/16')), false);
  assert.equal(cidrsOverlap(range, cidr('10.96.0.0/16')), true);
  assert.equal(cidrsOverlap(range, cidr('10.96.0.0/17')), false);
});

test('addresses by position', () => {
  const range = cidr('10.0.0.0/30');
  assert.equal(cidrSize(range), 4n);
  assert.deepEqual([...cidrAddresses(range)], ['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.3']);
  assert.deepEqual([...cidrAddresses(range, 3)], ['10.0.0.3']);
  assert.equal(cidrAddress(range, 2), '10.0.0.2');
  assert.equal(cidrLast(range), '10.0.0.3');
  assert.equal(cidrIndex(range, '10.0.0.2'), 2n);
  assert.equal(cidrIndex(range, '10.0.1.2'), undefined);
  assert.throws(() => cidrAddress(range, 4), RangeError);
  assert.equal(cidrAddress(cidr('fd00::/64'), 1n << 63n), 'fd00::8000:0:0:0');
});
