import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOwnAddress } from './own-address.ts';

test('an upstream that is a listening address of ours is recognised', () => {
  const listening = [
    { address: '10.244.0.1', port: 53 },
    { address: '127.0.0.1', port: 10053 },
    { address: '::', port: 5300 },
  ];
  for (const [address, port, expected] of [
    ['10.244.0.1', 53, true],
    ['127.0.0.1', 10053, true],
    ['127.0.0.1', 53, false],
    ['8.8.8.8', 53, false],
    ['::1', 5300, true],
    ['2001:db8::1', 5300, false],
    ['nonsense', 53, false],
  ] as const) {
    assert.equal(isOwnAddress({ address, port }, listening), expected, `${address} ${port}`);
  }
});
