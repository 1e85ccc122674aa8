import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Deployment } from '../../api/apps/deployment.ts';
import type { ReplicaSet } from '../../api/apps/replica-set.ts';
import { boundsOf, newestSize, shrinkOld, spreadSize } from './sizes.ts';

function deployment(replicas: number, maxSurge: number | string, maxUnavailable: number | string): Deployment {
  return {
    metadata: { name: 'web' },
    spec: {
      replicas,
      selector: {},
      template: {},
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
    },
  };
}

let age = 0;
/** A ReplicaSet with a size and that many available; made after the ones before it. */
function set(replicas: number, availableReplicas = replicas, max?: number): ReplicaSet {
  const annotations: Record<string, string> =
    max === undefined ? {} : { 'deployment.kubernetes.io/max-replicas': String(max) };
  const creationTimestamp = new Date(Date.UTC(2026, 0, 1) + age++ * 1000).toISOString();
  const status = { replicas, availableReplicas };
  return { metadata: { name: `rs-${age}`, creationTimestamp, annotations }, spec: { replicas, selector: {} }, status };
}

const bounds: readonly [number, number | string, number | string, number, number][] = [
  [10, '25%', '25%', 3, 2],
  [4, 1, 0, 1, 0],
  [3, 0, 0, 0, 1],
  [1, '25%', '25%', 1, 0],
  [2, 0, 5, 0, 2],
];
for (const [replicas, surge, unavailable, expectedSurge, expectedUnavailable] of bounds) {
  test(`${replicas} replicas with surge ${surge} and unavailable ${unavailable}`, () => {
    const found = boundsOf(deployment(replicas, surge, unavailable));
    assert.deepEqual([found.surge, found.unavailable], [expectedSurge, expectedUnavailable]);
  });
}

test('the newest ReplicaSet grows as far as the surge allows', () => {
  const ten = { desired: 10, surge: 3, unavailable: 2 };
  assert.equal(newestSize(ten, [set(10)], 0, false), 3);
  assert.equal(newestSize(ten, [set(8), set(3)], 3, false), 5);
  assert.equal(newestSize(ten, [set(10), set(3)], 3, false), 3);
  assert.equal(newestSize(ten, [set(12)], 12, false), 10);
  assert.equal(newestSize(ten, [], 0, true), 10);
});

function shown(resizes: ReturnType<typeof shrinkOld>): number[] {
  return resizes.map(({ replicas }) => replicas);
}

test('old ReplicaSets shrink by what is not available first, then by what may go', () => {
  const ten = { desired: 10, surge: 3, unavailable: 2 };
  assert.deepEqual(shown(shrinkOld(ten, set(3, 0), [set(10)])), [8], 'two may be unavailable');
  assert.deepEqual(shown(shrinkOld(ten, set(3, 3), [set(10)])), [5]);
  assert.deepEqual(shown(shrinkOld(ten, set(3, 0), [set(10, 5)])), [8], 'only as many as the bound allows');
  assert.deepEqual(shown(shrinkOld(ten, set(10, 10), [set(1), set(2)])), [0, 0]);
  assert.deepEqual(shown(shrinkOld({ desired: 4, surge: 1, unavailable: 0 }, set(1, 0), [set(4)])), []);
});

test('scaling in the middle of a rollout keeps the shares', () => {
  const twenty = { desired: 20, surge: 5, unavailable: 0 };
  const newest = set(5, 5, 13);
  const old = set(8, 8, 13);
  const sizes = spreadSize(twenty, newest, [old]);
  assert.deepEqual(
    sizes.map(({ replicaSet, replicas }) => [replicaSet === old ? 'old' : 'new', replicas]),
    [
      ['old', 15],
      ['new', 10],
    ],
  );
});

test('scaling goes to the only active ReplicaSet, and empties old ones when the newest has all', () => {
  const five = { desired: 5, surge: 1, unavailable: 0 };
  assert.deepEqual(
    spreadSize(five, set(3), [set(0)]).map(({ replicas }) => replicas),
    [5],
  );
  assert.deepEqual(
    spreadSize(five, set(5), [set(2)]).map(({ replicas }) => replicas),
    [0],
  );
  assert.deepEqual(spreadSize(five, undefined, []), []);
});

test('a rollout always ends with every Pod new, and never leaves its bounds on the way', () => {
  const settings = fc.record({
    replicas: fc.integer({ min: 1, max: 12 }),
    surge: fc.integer({ min: 0, max: 4 }),
    unavailable: fc.integer({ min: 0, max: 4 }),
    slow: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  });
  fc.assert(
    fc.property(settings, ({ replicas, surge, unavailable, slow }) => {
      const limit = boundsOf(deployment(replicas, surge, unavailable));
      let newest = set(0);
      let old = set(replicas);
      for (let turn = 0; turn < 200 && (old.spec.replicas ?? 0) > 0; turn++) {
        const size = newestSize(limit, [old, newest], newest.spec.replicas ?? 0, false);
        if (size !== newest.spec.replicas) newest = { ...newest, spec: { ...newest.spec, replicas: size } };
        else old = { ...old, ...resized(old, shrinkOld(limit, newest, [old])[0]?.replicas) };
        // Pods become available late, but they do.
        if (!slow[turn % slow.length] || turn % 7 === 0)
          newest = { ...newest, status: { replicas: size, availableReplicas: size } };
        const total = (old.spec.replicas ?? 0) + (newest.spec.replicas ?? 0);
        const available = (old.status?.availableReplicas ?? 0) + (newest.status?.availableReplicas ?? 0);
        assert.ok(total <= limit.desired + limit.surge, `${total} Pods`);
        assert.ok(available >= limit.desired - limit.unavailable, `${available} available`);
      }
      assert.equal(old.spec.replicas, 0);
    }),
  );
});

function resized(old: ReplicaSet, replicas = old.spec.replicas ?? 0): Pick<ReplicaSet, 'spec' | 'status'> {
  return { spec: { ...old.spec, replicas }, status: { replicas, availableReplicas: replicas } };
}
