import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Toleration } from '../../api/core/pod/scheduling.ts';
import { nodeFixture, podFixture } from '../fixtures.ts';
import type { PodFixture } from '../fixtures.ts';
import { evictionTimeMs, silentConditions, unreadyPod, wantedTaints } from './reconcile.ts';

const nowMs = Date.parse('2026-01-01T02:00:00Z');
const timeAdded = '2026-01-01T01:59:00Z';
const addedMs = Date.parse(timeAdded);
const unreachable = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' as const, timeAdded };
const custom = { key: 'maintenance', value: 'yes', effect: 'NoExecute' as const, timeAdded };

function tolerating(toleration: Toleration): PodFixture {
  return { spec: { tolerations: [toleration] } };
}

const evictions: readonly [string, PodFixture, typeof unreachable | typeof custom, number | undefined][] = [
  ['five minutes without a word about it', {}, unreachable, addedMs + 300_000],
  [
    'its own time',
    tolerating({ key: unreachable.key, operator: 'Exists', tolerationSeconds: 30 }),
    unreachable,
    addedMs + 30_000,
  ],
  ['for ever when it says so', tolerating({ operator: 'Exists' }), unreachable, undefined],
  ['no time under a taint of others', {}, custom, nowMs],
  [
    'as long as the value matches',
    tolerating({ key: 'maintenance', value: 'yes', tolerationSeconds: 5 }),
    custom,
    addedMs + 5000,
  ],
  [
    'no time when the value differs',
    tolerating({ key: 'maintenance', value: 'no', tolerationSeconds: 5 }),
    custom,
    nowMs,
  ],
  ['without a date when it is leaving already', { deleting: true }, unreachable, undefined],
];
for (const [title, pod, taint, expected] of evictions) {
  test(`a Pod stays on a tainted Node ${title}`, () => {
    assert.equal(evictionTimeMs(podFixture(pod), [taint], nowMs), expected);
  });
}

test('of a silent Node nothing is known, and saying so twice changes nothing', () => {
  const node = nodeFixture();
  const conditions = silentConditions(node, nowMs);
  assert.deepEqual(
    conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`),
    [
      'Ready Unknown NodeStatusUnknown',
      'MemoryPressure Unknown NodeStatusNeverUpdated',
      'DiskPressure Unknown NodeStatusNeverUpdated',
      'PIDPressure Unknown NodeStatusNeverUpdated',
    ],
  );
  const again = silentConditions({ ...node, status: { conditions } }, nowMs + 60_000);
  assert.deepEqual(again, conditions);
});

test('taints follow the state and leave those of others alone', () => {
  const node = nodeFixture();
  const cordoned = { ...node, spec: { unschedulable: true, taints: [custom] } };
  assert.deepEqual(
    wantedTaints(cordoned, nowMs).map(({ key }) => key),
    ['maintenance', 'node.kubernetes.io/unschedulable'],
  );
  const gone = { ...node, spec: { taints: [unreachable] } };
  assert.deepEqual(wantedTaints(gone, nowMs), []);
});

test('a Pod of a silent Node loses its readiness once', () => {
  const pod = unreadyPod(podFixture(), nowMs);
  assert.equal(pod?.status?.conditions?.[0]?.status, 'False');
  assert.equal(unreadyPod(podFixture({ ready: false }), nowMs), undefined);
});
