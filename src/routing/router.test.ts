import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../api/core/service.ts';
import { dual, nodePortSpec, weighted } from './declare-cases.ts';
import { describeFrontend, testService, testSlice } from './fixtures.ts';
import { createRouter } from './router.ts';

test('a change reports only what it changed', () => {
  const router = createRouter({ nodeName: 'a' });
  const one = testSlice(['10.0.0.1']);
  const two = testSlice(['10.0.0.1', '10.0.0.2']);
  assert.equal(router.apply({ type: 'slice', new: one }).changed.length, 0);
  assert.equal(router.apply({ type: 'service', new: testService() }).changed.length, 1);
  assert.equal(router.apply({ type: 'service', old: testService(), new: testService() }).changed.length, 0);
  const { changed, removed } = router.apply({ type: 'slice', old: one, new: two });
  assert.deepEqual(changed.map(describeFrontend), ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080, 10.0.0.2:8080']);
  assert.deepEqual(removed, []);
  assert.deepEqual(router.apply({ type: 'service', old: testService() }).removed, ['10.96.0.1:80/TCP']);
  assert.deepEqual([...router.frontends()], []);
});

test('a slice that moves to another Service leaves the first, even when the old object is not told', () => {
  const router = createRouter({ nodeName: 'a' });
  const other = testService({ clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'] }, { name: 'other' });
  router.apply({ type: 'service', new: testService() }, { type: 'service', new: other });
  router.apply({ type: 'slice', new: testSlice(['10.0.0.1']) });
  const moved = testSlice(['10.0.0.1'], {}, { labels: { 'kubernetes.io/service-name': 'other' } });
  const { changed } = router.apply({ type: 'slice', new: moved });
  assert.deepEqual(changed.map(describeFrontend).sort(), [
    '10.96.0.1:80/TCP ClusterIP → reject',
    '10.96.0.2:80/TCP ClusterIP → 10.0.0.1:8080',
  ]);
});

test('the zone of the own node decides about hints once it is known', () => {
  const router = createRouter({ nodeName: 'a' });
  router.apply({ type: 'service', new: testService() });
  router.apply({ type: 'slice', new: testSlice(['10.0.0.1 zone=z1', '10.0.0.2 zone=z2']) });
  const node = (name: string, zone: string) => ({
    metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } },
    spec: {},
  });
  assert.equal(router.apply({ type: 'node', new: node('b', 'z1') }).changed.length, 0);
  const { changed } = router.apply({ type: 'node', new: node('a', 'z2') });
  assert.deepEqual(changed.map(describeFrontend), ['10.96.0.1:80/TCP ClusterIP → 10.0.0.2:8080']);
});

test('the health check counts ready local endpoints only, and only under policy Local', () => {
  const router = createRouter({ nodeName: 'a' });
  const spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 31000 } as const;
  const slice = testSlice(['10.0.0.1 @a', '10.0.0.2 @a terminating', '10.0.0.3 @b']);
  router.apply({ type: 'slice', new: slice });
  const first = router.apply({ type: 'service', new: testService(spec) });
  assert.deepEqual(first.healthChecks, [{ service: 'shop/cart', port: 31000, localEndpoints: 1 }]);
  assert.deepEqual([...router.healthChecks()], first.healthChecks);
  const draining = router.apply({ type: 'slice', old: slice, new: testSlice(['10.0.0.1 @a terminating']) });
  assert.deepEqual(draining.healthChecks, [{ service: 'shop/cart', port: 31000, localEndpoints: 0 }]);
  const split = testSlice(['10.0.0.1'], {}, { name: 'cart-2' });
  assert.equal(router.apply({ type: 'slice', new: split }).healthChecks[0]?.localEndpoints, 1, 'one slice says where');
  router.apply({ type: 'slice', old: split });
  const parked = weighted(['10.0.0.1 @a', '10.0.0.4 @a'], '10.0.0.1=0');
  assert.deepEqual(router.apply({ type: 'slice', new: parked }).healthChecks, [
    { service: 'shop/cart', port: 31000, localEndpoints: 1 },
  ]);
  const cluster = router.apply({ type: 'service', new: testService({ ...spec, externalTrafficPolicy: 'Cluster' }) });
  assert.deepEqual(cluster.healthChecksRemoved, ['shop/cart']);
});

test('the health check counts a Pod once, whatever its ports and families, and not in families without an address', () => {
  const router = createRouter({ nodeName: 'a' });
  const spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 31000 } as const;
  const ports = [
    { name: 'http', port: 8080 },
    { name: 'tls', port: 8443 },
  ];
  router.apply(
    { type: 'slice', new: testSlice(['10.0.0.1 @a', '10.0.0.2 @a'], { ports }) },
    { type: 'slice', new: testSlice(['10.0.0.2 @a', '10.0.0.3 @a'], { ports: [] }, { name: 'cart-2' }) },
    {
      type: 'slice',
      new: testSlice(['fd01::1 @a', 'fd01::2 @a', 'fd01::3 @a'], { addressType: 'IPv6' }, { name: 'cart-3' }),
    },
  );
  const counts = (it: Partial<Service['spec']>) =>
    router
      .apply({ type: 'service', new: testService({ ...spec, ...it }) })
      .healthChecks.map((each) => each.localEndpoints);
  assert.deepEqual(counts({}), [2]);
  assert.deepEqual(counts(dual), [3]);
});

interface Transition {
  readonly name: string;
  readonly from: Service;
  readonly to: Service;
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

const named = testService({ type: 'ExternalName', externalName: 'a.example', clusterIP: '', clusterIPs: [] });
const transitions: readonly Transition[] = [
  {
    name: 'ExternalName to ClusterIP',
    from: named,
    to: testService(),
    changed: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080'],
    removed: [],
  },
  {
    name: 'ClusterIP to ExternalName, before its address is cleared',
    from: testService(),
    to: testService({ type: 'ExternalName', externalName: 'a.example' }),
    changed: [],
    removed: ['10.96.0.1:80/TCP'],
  },
  {
    name: 'ExternalName to NodePort',
    from: named,
    to: testService(nodePortSpec),
    changed: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080', '*:30080/TCP NodePort masquerade=always → 10.0.0.1:8080'],
    removed: [],
  },
  {
    name: 'NodePort to ClusterIP keeps the cluster address',
    from: testService(nodePortSpec),
    to: testService(),
    changed: [],
    removed: ['*:30080/TCP'],
  },
  {
    name: 'one node port in another protocol',
    from: testService(nodePortSpec),
    to: testService({ type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 30080, protocol: 'UDP' }] }),
    changed: ['10.96.0.1:80/UDP ClusterIP → reject', '*:30080/UDP NodePort masquerade=always → reject'],
    removed: ['10.96.0.1:80/TCP', '*:30080/TCP'],
  },
  {
    name: 'a second family',
    from: testService(),
    to: testService(dual),
    changed: ['[fd00::1]:80/TCP ClusterIP → reject'],
    removed: [],
  },
  {
    name: 'affinity switched on',
    from: testService(),
    to: testService({ sessionAffinity: 'ClientIP' }),
    changed: ['10.96.0.1:80/TCP ClusterIP affinity=10800s → 10.0.0.1:8080'],
    removed: [],
  },
  {
    name: 'ports added, and one that stays',
    from: testService(),
    to: testService({
      ports: [
        { name: 'http', port: 80 },
        { name: 'tls', port: 443 },
      ],
    }),
    changed: ['10.96.0.1:443/TCP ClusterIP → reject'],
    removed: [],
  },
  {
    name: 'given to another proxy',
    from: testService(),
    to: testService({}, { labels: { 'service.kubernetes.io/service-proxy-name': 'other' } }),
    changed: [],
    removed: ['10.96.0.1:80/TCP'],
  },
];

for (const { name, from, to, changed, removed } of transitions) {
  test(`from ${name}`, () => {
    const router = createRouter({ nodeName: 'a' });
    router.apply({ type: 'service', new: from }, { type: 'slice', new: testSlice(['10.0.0.1']) });
    const changes = router.apply({ type: 'service', old: from, new: to });
    assert.deepEqual(changes.changed.map(describeFrontend), changed);
    assert.deepEqual(changes.removed, removed);
  });
}

/** The own Node in a status with these addresses. */
function nodeAt(...addresses: readonly string[]) {
  return {
    metadata: { name: 'a' },
    spec: {},
    status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
  };
}

test('a source range that contains this node lets the load balancer address call itself', () => {
  const router = createRouter({ nodeName: 'a' });
  const ranges = { loadBalancerSourceRanges: ['198.51.100.0/24', 'fd05::/64'], ...dual };
  const ingress = [{ ip: '192.0.2.1' }, { ip: 'fd06::1' }, { ip: '198.51.100.9' }];
  router.apply({
    type: 'service',
    new: testService({ type: 'LoadBalancer', ...ranges }, {}, { loadBalancer: { ingress } }),
  });
  const rangesOf = () =>
    ingress.map(({ ip = '' }) => router.get(ip.includes(':') ? `[${ip}]:80/TCP` : `${ip}:80/TCP`)?.sourceRanges);
  assert.deepEqual(rangesOf(), [['198.51.100.0/24'], ['fd05::/64'], ['198.51.100.0/24']]);
  router.apply({ type: 'node', new: nodeAt('198.51.100.5') });
  assert.deepEqual(rangesOf(), [['192.0.2.1/32', '198.51.100.0/24'], ['fd05::/64'], ['198.51.100.0/24']]);
  const { changed } = router.apply({ type: 'node', new: nodeAt('203.0.113.5', 'fd05::5') });
  assert.equal(changed.length, 2);
  assert.deepEqual(rangesOf(), [['198.51.100.0/24'], ['fd05::/64', 'fd06::1/128'], ['198.51.100.0/24']]);
  assert.equal(router.apply({ type: 'node', new: nodeAt('fd05::5', '203.0.113.5') }).changed.length, 0);
});

test('the trigger time is the oldest new annotation among the slices', () => {
  const router = createRouter({ nodeName: 'a' });
  const at = (time: string, name: string) =>
    testSlice(
      [],
      {},
      {
        name,
        labels: { 'kubernetes.io/service-name': 'cart' },
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': time },
      },
    );
  const early = at('2026-01-01T00:00:01Z', 'cart-1');
  const late = at('2026-01-01T00:00:02.5Z', 'cart-2');
  assert.equal(router.apply({ type: 'slice', new: late }, { type: 'slice', new: early }).triggeredAtMs, 1767225601000);
  assert.equal(router.apply({ type: 'slice', old: late, new: late }).triggeredAtMs, undefined);
  assert.equal(router.apply({ type: 'service', new: testService() }).triggeredAtMs, undefined);
});

test('names that no server should let through reach comments and dumps without spaces, quotes and line ends', () => {
  const router = createRouter({ nodeName: 'a' });
  const port = { name: 'a"\u0007b', port: 80 };
  router.apply(
    { type: 'service', new: testService({ ports: [port] }) },
    { type: 'slice', new: testSlice(['10.0.0.1 pod=x\ny'], { ports: [{ ...port, port: 8080 }] }) },
    { type: 'service', new: testService({ clusterIPs: ['10.96.0.2'] }, { name: 'one\ntwo' }) },
  );
  const [first, second] = [...router.frontends()];
  assert.deepEqual([first?.portName, first?.internal.backends[0]?.pod], ['a??b', 'shop/x?y']);
  assert.equal(second?.service, 'shop/one?two');
});
