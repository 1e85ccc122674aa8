import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../api/core/pod.ts';
import { keepClient } from './client-pods.ts';
import { clientPodsOf, dnsPod } from './fixtures.ts';

test('a Pod is found by any of its addresses', () => {
  const pod = dnsPod('10.244.0.1');
  const dual: Pod = { ...pod, status: { ...pod.status, podIPs: [{ ip: '10.244.0.1' }, { ip: 'FD00::1' }] } };
  const pods = clientPodsOf(dual);
  for (const address of ['10.244.0.1', 'fd00::1']) assert.equal(pods.at(address)?.uid, dual.metadata.uid);
  assert.equal(pods.at('10.244.0.2'), undefined);
});

test('an address of two Pods is nobody’s until one of them is gone', () => {
  const [one, two] = [dnsPod('10.244.0.1', {}, 'shop', 'one'), dnsPod('10.244.0.1', {}, 'other', 'two')];
  const pods = clientPodsOf(one, two);
  assert.equal(pods.at('10.244.0.1'), undefined);
  pods.change(one, { ...one, status: { ...one.status, phase: 'Succeeded' } });
  assert.equal(pods.at('10.244.0.1')?.name, 'two');
  pods.change(two, undefined);
  assert.equal(pods.at('10.244.0.1'), undefined);
});

test('a Pod that comes again under its name has another identity', () => {
  const before = dnsPod('10.244.0.1');
  const pods = clientPodsOf(before);
  const again = { ...before, metadata: { ...before.metadata, uid: 'other' } };
  pods.change(before, again);
  assert.equal(pods.at('10.244.0.1')?.uid, 'other');
});

test('Pods on the network of their node are not known by its address, nor is a Pod that shares it', () => {
  const pods = clientPodsOf(dnsPod('192.0.2.1', { hostNetwork: true }), dnsPod('192.0.2.2', { hostNetwork: true }));
  assert.equal(pods.at('192.0.2.1'), undefined);
  pods.change(undefined, dnsPod('192.0.2.2'));
  assert.equal(pods.at('192.0.2.2'), undefined);
});

test('what is kept of a Pod is all that is read', () => {
  const pod = dnsPod('10.244.0.1', { dnsPolicy: 'None', dnsConfig: { searches: ['corp.example'] } });
  assert.deepEqual(clientPodsOf(keepClient(pod)).at('10.244.0.1'), clientPodsOf(pod).at('10.244.0.1'));
  assert.equal(clientPodsOf(pod).at('10.244.0.1')?.hasClusterSearch, false);
});
