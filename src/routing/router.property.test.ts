import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { Service } from '../api/core/service.ts';
import { testService, testSlice } from './fixtures.ts';
import type { Frontend, FrontendKey } from './frontend.ts';
import { createRouter } from './router.ts';
import type { ObjectChange, Router } from './router.ts';

const name = fc.constantFrom('a', 'b', 'c');

const service: fc.Arbitrary<Service> = fc
  .record({
    name,
    type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'),
    clusterIPs: fc.constantFrom(['10.96.0.1'], ['10.96.0.2', 'fd00::2'], ['None'], []),
    nodePort: fc.constantFrom(undefined, 30080, 30081),
    externalIPs: fc.constantFrom([], ['192.0.2.1'], ['192.0.2.1', 'fd00::9'], ['10.96.0.1']),
    externalTrafficPolicy: fc.constantFrom(undefined, 'Local', 'Cluster'),
    internalTrafficPolicy: fc.constantFrom(undefined, 'Local', 'Cluster'),
    sessionAffinity: fc.constantFrom(undefined, 'ClientIP', 'None'),
    createdAt: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
    ingress: fc.constantFrom(undefined, [{ ip: '192.0.2.1' }], [{ ip: '192.0.2.2' }, { hostname: 'x' }]),
  })
  .map(({ name, nodePort, createdAt, ingress, ...spec }) =>
    testService(
      { ...spec, clusterIP: spec.clusterIPs[0] ?? '', ports: [{ name: 'http', port: 80, nodePort, protocol: 'TCP' }] },
      { name, creationTimestamp: createdAt },
      { loadBalancer: { ingress } },
    ),
  );

const endpoint = fc
  .record({
    address: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3'),
    node: fc.constantFrom('', ' @a', ' @b'),
    state: fc.constantFrom('', '', ' !ready', ' terminating', ' terminating !serving'),
    hints: fc.constantFrom('', ' zone=z1', ' zone=z2', ' node=a zone=z1'),
  })
  .map(({ address, node, state, hints }) => `${address}${node}${state}${hints}`);

const slice: fc.Arbitrary<EndpointSlice> = fc
  .record({ slice: fc.constantFrom('s1', 's2', 's3'), of: name, endpoints: fc.array(endpoint, { maxLength: 4 }) })
  .map((it) => testSlice(it.endpoints, {}, { name: it.slice, labels: { 'kubernetes.io/service-name': it.of } }));

const change: fc.Arbitrary<ObjectChange> = fc.oneof(
  service.map((it): ObjectChange => ({ type: 'service', new: it })),
  slice.map((it): ObjectChange => ({ type: 'slice', new: it })),
  service.map((it): ObjectChange => ({ type: 'service', old: it })),
  slice.map((it): ObjectChange => ({ type: 'slice', old: it })),
  fc.constantFrom('z1', 'z2').map((zone): ObjectChange => ({
    type: 'node',
    new: { metadata: { name: 'a', labels: { 'topology.kubernetes.io/zone': zone } }, spec: {} },
  })),
);

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

function inForce(router: Router): Map<FrontendKey, Frontend> {
  return new Map([...router.frontends()].map((it): [FrontendKey, Frontend] => [it.key, it]));
}

function byKey(frontends: Map<FrontendKey, Frontend>): [FrontendKey, Frontend][] {
  return [...frontends].sort(([a], [b]) => (a < b ? -1 : 1));
}

test('after any changes the router is as if it had started from the objects that are left, and reported the way there', () => {
  fc.assert(
    fc.property(fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { maxLength: 25 }), (batches) => {
      const router = createRouter({ nodeName: 'a' });
      const told = new Map<FrontendKey, Frontend>();
      for (const batch of batches) {
        const { changed, removed } = router.apply(...batch);
        for (const frontend of changed) told.set(frontend.key, frontend);
        for (const key of removed) assert.ok(told.delete(key), `${key} was never there`);
      }
      const fresh = createRouter({ nodeName: 'a' });
      fresh.apply(...leftovers(batches.flat()).toReversed());
      assert.deepEqual(byKey(inForce(router)), byKey(inForce(fresh)));
      assert.deepEqual(byKey(told), byKey(inForce(router)));
    }),
    { numRuns: 300 },
  );
});
