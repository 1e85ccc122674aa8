import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAddress, readCidrs } from './addresses.ts';

const addresses: readonly [string, string, number][] = [
  ['10.0.0.1:5353', '10.0.0.1', 5353],
  ['10.0.0.1', '10.0.0.1', 53],
  ['[fd00::1]:5353', 'fd00::1', 5353],
  ['[fd00::1]', 'fd00::1', 53],
  ['fd00::1', 'fd00::1', 53],
];

for (const [text, address, port] of addresses) {
  test(`${text} is ${address}, port ${port}`, () =>
    assert.deepEqual(readAddress('listen', text, 53), { address, port }));
}

for (const text of ['nowhere:53', '10.0.0.1:99999', '', '10.0.0.256']) {
  test(`"${text}" is refused and the flag named`, () => {
    assert.throws(() => readAddress('listen', text, 53), /--listen: ".*" is not an address/);
  });
}

test('ranges may be repeated or joined by commas', () => {
  assert.deepEqual(readCidrs('cidr', ['10.0.0.0/8,fd00::/8', '192.168.1.7/24']), [
    '10.0.0.0/8',
    'fd00::/8',
    '192.168.1.0/24',
  ]);
  assert.throws(() => readCidrs('cidr', ['10.0.0.0']), /--cidr: "10.0.0.0" is not an address range/);
});
