import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../api/core/node.ts';
import { ProxyHealth } from './proxy-health.ts';

const minute = 60_000;

test('a proxy is healthy while it starts, and ready when everything has been in force once', () => {
  const health = new ProxyHealth(minute);
  assert.equal(health.isHealthy(0), true);
  assert.equal(health.isReady, false);
  health.queued(10);
  health.updated(20);
  assert.equal(health.isReady, true);
});

test('changes that wait too long make it unhealthy until they are in force; later changes do not start the clock anew', () => {
  const health = new ProxyHealth(minute);
  health.updated(0);
  health.queued(1000);
  health.queued(30_000);
  assert.equal(health.isHealthy(1000 + minute - 1), true);
  assert.equal(health.isHealthy(1000 + minute), false);
  assert.equal(health.lastUpdatedMs(1000 + minute), 0);
  health.updated(100_000);
  assert.equal(health.isHealthy(100_001), true);
  assert.equal(health.lastUpdatedMs(500_000), 500_000);
});

const nodes: readonly [string, Partial<Node['metadata']>, Node['spec'], boolean][] = [
  ['an ordinary node', {}, {}, true],
  ['any other taint', {}, { taints: [{ key: 'dedicated', effect: 'NoSchedule' }] }, true],
  [
    'tainted by the autoscaler',
    {},
    { taints: [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }] },
    false,
  ],
  ['being deleted', { deletionTimestamp: '2026-01-01T00:00:00Z' }, {}, false],
];

for (const [name, metadata, spec, isEligible] of nodes) {
  test(`${name}: ${isEligible ? 'may' : 'may not'} get new traffic`, () => {
    const health = new ProxyHealth(minute);
    health.sawNode({ metadata: { name: 'node-1', ...metadata }, spec, status: {} });
    assert.equal(health.isNodeEligible, isEligible);
    health.sawNode(undefined);
    assert.equal(health.isNodeEligible, isEligible, 'a node that is not there says nothing');
    assert.equal(health.isHealthy(0), true, 'the proxy itself is well');
  });
}
