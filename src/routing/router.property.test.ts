import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { Service } from '../api/core/service.ts';
import { describeNotice, testService, testSlice } from './fixtures.ts';
import type { Frontend, FrontendKey } from './frontend.ts';
import type { HealthCheck } from './health-check.ts';
import { createRouter } from './router.ts';
import type { ObjectChange, Router, RouterChanges } from './router.ts';

const name = fc.constantFrom('a', 'b', 'c');

const annotations = fc.record(
  {
    'fairlead.dev/scheduler': fc.constantFrom('rr', 'mh', 'best'),
    'fairlead.dev/reset-removed': fc.constantFrom('0s', '30s', 'never', 'soon'),
    'fairlead.dev/slow-start': fc.constantFrom('10s', '1s', '0s', 'never'),
    'fairlead.dev/port-ranges': fc.constantFrom('80-85', '82-90', '80-80', 'http=80-95', 'x=1-2'),
  },
  { requiredKeys: [] },
);

const service: fc.Arbitrary<Service> = fc
  .record({
    name,
    annotations,
    type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'),
    clusterIPs: fc.constantFrom(['10.96.0.1'], ['10.96.0.2', 'fd00::2'], ['None'], [], ['10.96.0']),
    port: fc.constantFrom(80, 82, 85, 0),
    nodePort: fc.constantFrom(undefined, 30080, 30081),
    externalIPs: fc.constantFrom([], ['192.0.2.1'], ['192.0.2.1', 'fd00::9'], ['10.96.0.1'], ['nobody']),
    externalTrafficPolicy: fc.constantFrom(undefined, 'Local', 'Cluster'),
    internalTrafficPolicy: fc.constantFrom(undefined, 'Local', 'Cluster'),
    sessionAffinity: fc.constantFrom(undefined, 'ClientIP', 'None'),
    healthCheckNodePort: fc.constantFrom(0, 31_000, 31_001),
    loadBalancerSourceRanges: fc.constantFrom(undefined, ['192.0.2.0/24'], ['198.51.100.0/24', '0.0.0.0/0'], ['x']),
    createdAt: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
    ingress: fc.constantFrom(undefined, [{ ip: '192.0.2.1' }], [{ ip: '192.0.2.2' }, { hostname: 'x' }]),
  })
  .map(({ name, port, nodePort, createdAt, ingress, annotations, ...spec }) =>
    testService(
      { ...spec, clusterIP: spec.clusterIPs[0] ?? '', ports: [{ name: 'http', port, nodePort, protocol: 'TCP' }] },
      { name, annotations, creationTimestamp: createdAt },
      { loadBalancer: { ingress } },
    ),
  );

const endpoint = fc
  .record({
    address: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0'),
    node: fc.constantFrom('', ' @a', ' @b'),
    state: fc.constantFrom('', '', ' !ready', ' terminating', ' terminating !serving'),
    hints: fc.constantFrom('', ' zone=z1', ' zone=z2', ' node=a zone=z1'),
  })
  .map(({ address, node, state, hints }) => `${address}${node}${state}${hints}`);

const slice: fc.Arbitrary<EndpointSlice> = fc
  .record({
    slice: fc.constantFrom('s1', 's2', 's3'),
    of: name,
    endpoints: fc.array(endpoint, { maxLength: 4 }),
    weights: fc.constantFrom(undefined, undefined, '3', '0', '10.0.0.1=0,10.0.0.2=5', '10.0.0.1=many'),
    port: fc.constantFrom(8080, 9090, 0),
  })
  .map(({ slice, of, endpoints, weights, port }) =>
    testSlice(
      endpoints,
      { ports: [{ name: 'http', port, protocol: 'TCP' }] },
      {
        name: slice,
        labels: { 'kubernetes.io/service-name': of },
        annotations: weights === undefined ? {} : { 'fairlead.dev/weights': weights },
      },
    ),
  );

const node = fc
  .record({ zone: fc.constantFrom('z1', 'z2'), address: fc.constantFrom('192.0.2.7', '203.0.113.7') })
  .map(({ zone, address }) => ({
    metadata: { name: 'a', labels: { 'topology.kubernetes.io/zone': zone } },
    spec: {},
    status: { addresses: [{ type: 'InternalIP', address }] },
  }));

const change: fc.Arbitrary<ObjectChange> = fc.oneof(
  service.map((it): ObjectChange => ({ type: 'service', new: it })),
  slice.map((it): ObjectChange => ({ type: 'slice', new: it })),
  service.map((it): ObjectChange => ({ type: 'service', old: it })),
  slice.map((it): ObjectChange => ({ type: 'slice', old: it })),
  node.map((it): ObjectChange => ({ type: 'node', new: it })),
);

const batch = fc.array(change, { minLength: 1, maxLength: 3 });

/** The last state of every object that the changes leave. */
function leftovers(changes: readonly ObjectChange[]): ObjectChange[] {
  const left = new Map<string, ObjectChange>();
  for (const it of changes) {
    const key = `${it.type}/${(it.new ?? it.old)?.metadata.name}`;
    if (it.new) left.set(key, it);
    else left.delete(key);
  }
  return [...left.values()];
}

const config = { nodeName: 'a', allowExternalIps: true } as const;

/** Everything that a router says now, in one order. */
function stateOf(router: Router) {
  const frontends = [...router.frontends()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const healthChecks = [...router.healthChecks()].sort((a, b) => (a.service < b.service ? -1 : 1));
  const notices = [...router.notices()].map(describeNotice).sort();
  return { frontends, healthChecks, notices };
}

/** A follower of a router's reports: it knows only what it was told. */
class Told {
  readonly #frontends = new Map<FrontendKey, Frontend>();
  readonly #healthChecks = new Map<string, HealthCheck>();
  readonly #notices = new Set<string>();

  hear({ changed, removed, healthChecks, healthChecksRemoved, notices }: RouterChanges): void {
    for (const key of removed) assert.ok(this.#frontends.delete(key), `${key} was never there`);
    for (const frontend of changed) {
      assert.notDeepEqual(this.#frontends.get(frontend.key), frontend, `${frontend.key} did not change`);
      this.#frontends.set(frontend.key, frontend);
    }
    for (const service of healthChecksRemoved) assert.ok(this.#healthChecks.delete(service));
    for (const check of healthChecks) this.#healthChecks.set(check.service, check);
    for (const notice of notices) this.#notices.add(describeNotice(notice));
  }

  /** Notices that are over are not told, so only that none is missing can be checked. */
  check(router: Router): void {
    const sorted = [...this.#frontends.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    const { frontends, healthChecks, notices } = stateOf(router);
    assert.deepEqual(sorted, frontends);
    assert.deepEqual(
      [...this.#healthChecks.values()].sort((a, b) => (a.service < b.service ? -1 : 1)),
      healthChecks,
    );
    for (const notice of notices) assert.ok(this.#notices.has(notice), `never told: ${notice}`);
  }
}

test('after any changes the router is as if it had started from the objects that are left, and reported the way there', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(batch, fc.boolean()), { maxLength: 25 }), (batches) => {
      const router = createRouter(config);
      const told = new Told();
      for (const [changes, isLearnt] of batches) {
        if (isLearnt) router.learn(...changes);
        else told.hear(router.apply(...changes));
      }
      told.hear(router.apply());
      const fresh = createRouter(config);
      fresh.apply(...leftovers(batches.flatMap(([changes]) => changes)).toReversed());
      assert.deepEqual(stateOf(router), stateOf(fresh));
      told.check(router);
    }),
    { numRuns: 300 },
  );
});

test('once all slow starts are over the router is as if there had been none', () => {
  const moment = fc.record({ change, laterMs: fc.constantFrom(0, 100, 1500, 4000), isTicking: fc.boolean() });
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 30 }), (moments) => {
      let nowMs = 1_000_000;
      const router = createRouter({ ...config, now: () => nowMs });
      const told = new Told();
      for (const { change: each, laterMs, isTicking } of moments) {
        told.hear(router.apply(each));
        nowMs += laterMs;
        if (isTicking) told.hear(router.tick());
      }
      for (let at = router.nextTickAtMs(); at !== undefined; at = router.nextTickAtMs()) {
        nowMs = Math.max(nowMs, at);
        told.hear(router.tick());
      }
      const fresh = createRouter(config);
      fresh.apply(...leftovers(moments.map((each) => each.change)));
      assert.deepEqual(stateOf(router), stateOf(fresh));
      told.check(router);
    }),
    { numRuns: 300 },
  );
});

test('through three thousand random changes the router equals one that starts anew, after each of them', () => {
  const router = createRouter(config);
  const told = new Told();
  let left: readonly ObjectChange[] = [];
  for (const [step, each] of fc.sample(change, { numRuns: 3000, seed: 5 }).entries()) {
    told.hear(router.apply(each));
    left = leftovers([...left, each]);
    const fresh = createRouter(config);
    fresh.apply(...left);
    assert.deepEqual(stateOf(router), stateOf(fresh), `step ${step}`);
    told.check(router);
  }
});
