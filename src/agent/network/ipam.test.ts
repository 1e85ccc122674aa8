import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIpam, NoAddressError } from './ipam.ts';

test('addresses begin after the gateway, and a freed one is not given again at once', () => {
  const ipam = createIpam('10.244.0.0/24');
  assert.equal(ipam.allocate(), '10.244.0.2');
  ipam.release('10.244.0.2');
  assert.equal(ipam.allocate(), '10.244.0.3');
});

test('addresses of Pods that were taken over are left out, once', () => {
  const ipam = createIpam('10.244.0.0/24');
  assert.equal(ipam.take('10.244.0.3'), true);
  assert.equal(ipam.take('10.244.0.3'), false);
  assert.equal(ipam.take('10.9.0.3'), false);
  assert.equal(ipam.allocate(), '10.244.0.4');
});

test('every address is given before one comes again, and then none is left', () => {
  const ipam = createIpam('10.244.0.0/29');
  const given = [1, 2, 3, 4, 5].map(() => ipam.allocate());
  assert.deepEqual(given, ['10.244.0.2', '10.244.0.3', '10.244.0.4', '10.244.0.5', '10.244.0.6']);
  assert.throws(() => ipam.allocate(), NoAddressError);
  ipam.release('10.244.0.4');
  assert.equal(ipam.allocate(), '10.244.0.4');
});
