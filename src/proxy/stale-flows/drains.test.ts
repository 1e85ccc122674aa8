import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frontend } from '../../routing/frontend.ts';
import { Frontends } from '../contract/frontends.ts';
import { ipv4 } from '../contract/worlds.ts';
import { Drains } from './drains.ts';

const make = new Frontends(ipv4);
const name = { pod1: `${ipv4.pods.pod1}:8080`, pod2: `${ipv4.pods.pod2}:8080` };
const web = (seconds: number | undefined, ...pods: ('pod1' | 'pod2' | 'pod3')[]): Frontend =>
  make.clusterIp(make.forward(...pods), { resetAfterSeconds: seconds });

function due(drains: Drains, nowMs: number): string[] {
  return drains.take(nowMs).flatMap(({ lost }) => [...lost]);
}

test('a backend that went is due after the drain time, once', () => {
  const drains = new Drains();
  drains.change(web(30, 'pod1', 'pod2'), web(30, 'pod2'), 1000);
  assert.equal(drains.nextMs, 31_000);
  assert.deepEqual(due(drains, 30_999), []);
  assert.deepEqual(due(drains, 31_000), [name.pod1]);
  assert.equal(drains.nextMs, undefined);
  assert.deepEqual(due(drains, 99_000), []);
});

test('one that comes back before is left alone, and has its whole time when it goes again', () => {
  const drains = new Drains();
  drains.change(web(30, 'pod1', 'pod2'), web(30, 'pod2'), 0);
  drains.change(web(30, 'pod2'), web(30, 'pod1', 'pod2'), 10_000);
  assert.equal(drains.nextMs, undefined);
  drains.change(web(30, 'pod1', 'pod2'), web(30, 'pod2'), 20_000);
  assert.equal(drains.nextMs, 50_000);
});

test('each backend has its own time, which other changes do not move', () => {
  const drains = new Drains();
  drains.change(web(30, 'pod1', 'pod2', 'pod3'), web(30, 'pod2', 'pod3'), 0);
  drains.change(web(30, 'pod2', 'pod3'), web(30, 'pod3'), 5000);
  assert.deepEqual(due(drains, 30_000), [name.pod1]);
  assert.equal(drains.nextMs, 35_000);
  assert.deepEqual(due(drains, 35_000), [name.pod2]);
});

test('a removed frontend drains all its backends; one that comes back stops it', () => {
  const drains = new Drains();
  drains.change(web(1, 'pod1', 'pod2'), undefined, 0);
  assert.equal(drains.nextMs, 1000);
  drains.change(undefined, web(1, 'pod1'), 500);
  assert.deepEqual(due(drains, 1000), [name.pod2]);
});

test('without the policy nothing drains, and taking it away stops what does', () => {
  const drains = new Drains();
  drains.change(web(undefined, 'pod1'), web(undefined, 'pod2'), 0);
  assert.equal(drains.nextMs, undefined);
  drains.change(web(30, 'pod1'), web(30, 'pod2'), 0);
  drains.change(web(30, 'pod2'), web(undefined, 'pod2'), 10);
  assert.equal(drains.nextMs, undefined);
});

test('UDP is not drained, and a drain time of 0 is due at once', () => {
  const drains = new Drains();
  const udp = (...pods: ('pod1' | 'pod2')[]) => ({ ...web(30, ...pods), protocol: 'UDP' as const });
  drains.change(udp('pod1'), udp('pod2'), 0);
  assert.equal(drains.nextMs, undefined);
  drains.change(web(0, 'pod1'), web(0, 'pod2'), 70);
  assert.deepEqual(due(drains, 70), [name.pod1]);
});
