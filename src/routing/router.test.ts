import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../api/core/service.ts';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { describeFrontend, testService, testSlice } from './fixtures.ts';
import { createRouter } from './router.ts';

interface Case {
  readonly name: string;
  readonly service: Service;
  readonly slices?: readonly EndpointSlice[];
  readonly frontends: readonly string[];
}

const nodePortSpec = {
  type: 'NodePort',
  ports: [{ name: 'http', port: 80, nodePort: 30080, protocol: 'TCP' }],
} as const;
const loadBalancer = {
  loadBalancer: {
    ingress: [
      { ip: '192.0.2.1', ipMode: 'VIP' },
      { ip: '192.0.2.2', ipMode: 'Proxy' },
    ],
  },
};
const dual = { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1', 'fd00::1'], ipFamilies: ['IPv4', 'IPv6'] } as const;

const cases: readonly Case[] = [
  {
    name: 'a cluster IP forwards to ready endpoints, sorted, local ones marked',
    service: testService(),
    slices: [testSlice(['10.0.0.2 @b', '10.0.0.1 @a', '10.0.0.3 !ready'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080*, 10.0.0.2:8080'],
  },
  {
    name: 'a Service without slices refuses',
    service: testService(),
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject'],
  },
  {
    name: 'a Service whose endpoints are all unready refuses',
    service: testService(),
    slices: [testSlice(['10.0.0.1 !ready !serving'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject'],
  },
  {
    name: 'without ready endpoints those that serve while terminating are used',
    service: testService(),
    slices: [testSlice(['10.0.0.1 terminating', '10.0.0.2 terminating !serving', '10.0.0.3 !ready !serving'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080'],
  },
  {
    name: 'terminating endpoints are not used while one is ready',
    service: testService(),
    slices: [testSlice(['10.0.0.1 terminating', '10.0.0.2'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.2:8080'],
  },
  {
    name: 'an endpoint in two slices counts once, as ready as either says',
    service: testService(),
    slices: [testSlice(['10.0.0.1 !ready !serving']), testSlice(['10.0.0.1', '10.0.0.2'], {}, { name: 'cart-2' })],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080, 10.0.0.2:8080'],
  },
  {
    name: 'a named target port may differ from slice to slice',
    service: testService(),
    slices: [
      testSlice(['10.0.0.1']),
      testSlice(['10.0.0.2'], { ports: [{ name: 'http', port: 9090, protocol: 'TCP' }] }, { name: 'cart-2' }),
      testSlice(['10.0.0.3'], { ports: [] }, { name: 'cart-3' }),
    ],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080, 10.0.0.2:9090'],
  },
  {
    name: 'ports are matched by name and protocol, SCTP included',
    service: testService({
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'sig', port: 9, protocol: 'SCTP' },
      ],
    }),
    slices: [
      testSlice(['10.0.0.1'], {
        ports: [
          { name: 'dns', port: 5353, protocol: 'UDP' },
          { name: 'sig', port: 99, protocol: 'SCTP' },
          { name: 'sig', port: 98, protocol: 'TCP' },
        ],
      }),
    ],
    frontends: ['10.96.0.1:53/UDP ClusterIP → 10.0.0.1:5353', '10.96.0.1:9/SCTP ClusterIP → 10.0.0.1:99'],
  },
  {
    name: 'FQDN slices and malformed addresses are ignored, addresses made canonical',
    service: testService(),
    slices: [
      testSlice(['example.com'], { addressType: 'FQDN' }),
      testSlice(['010.0.0.1', 'fd00::1', 'nonsense'], {}, { name: 'cart-2' }),
    ],
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject'],
  },
  {
    name: 'internalTrafficPolicy Local keeps to this node',
    service: testService({ internalTrafficPolicy: 'Local' }),
    slices: [testSlice(['10.0.0.1 @a', '10.0.0.2 @b'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080*'],
  },
  {
    name: 'internalTrafficPolicy Local drops when endpoints are elsewhere',
    service: testService({ internalTrafficPolicy: 'Local' }),
    slices: [testSlice(['10.0.0.2 @b'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → drop'],
  },
  {
    name: 'internalTrafficPolicy Local refuses when there is no endpoint at all',
    service: testService({ internalTrafficPolicy: 'Local' }),
    slices: [testSlice(['10.0.0.2 @a !ready !serving'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject'],
  },
  {
    name: 'internalTrafficPolicy Local falls back to local terminating endpoints although others are ready elsewhere',
    service: testService({ internalTrafficPolicy: 'Local' }),
    slices: [testSlice(['10.0.0.1 @a terminating', '10.0.0.2 @b'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080*'],
  },
  {
    name: 'a node port answers without address and masquerades',
    service: testService(nodePortSpec),
    slices: [testSlice(['10.0.0.1 @a', '10.0.0.2 @b'])],
    frontends: [
      '10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080*, 10.0.0.2:8080',
      '*:30080/TCP NodePort masquerade=always → 10.0.0.1:8080*, 10.0.0.2:8080',
    ],
  },
  {
    name: 'externalTrafficPolicy Local gives outside clients local endpoints and keeps their address',
    service: testService({ ...nodePortSpec, externalTrafficPolicy: 'Local' }),
    slices: [testSlice(['10.0.0.1 @a', '10.0.0.2 @b'])],
    frontends: [
      '10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080*, 10.0.0.2:8080',
      '*:30080/TCP NodePort masquerade=never → 10.0.0.1:8080*, 10.0.0.2:8080 | outside → 10.0.0.1:8080*',
    ],
  },
  {
    name: 'externalTrafficPolicy Local drops outside clients without a local endpoint',
    service: testService({ ...nodePortSpec, externalTrafficPolicy: 'Local' }),
    slices: [testSlice(['10.0.0.2 @b'])],
    frontends: [
      '10.96.0.1:80/TCP ClusterIP → 10.0.0.2:8080',
      '*:30080/TCP NodePort masquerade=never → 10.0.0.2:8080 | outside → drop',
    ],
  },
  {
    name: 'externalTrafficPolicy Local refuses everyone when there is no endpoint at all',
    service: testService({ ...nodePortSpec, externalTrafficPolicy: 'Local' }),
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject', '*:30080/TCP NodePort masquerade=never → reject'],
  },
  {
    name: 'a node port on a ClusterIP Service is no frontend',
    service: testService({ ports: [{ name: 'http', port: 80, nodePort: 30080 }] }),
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject'],
  },
  {
    name: 'load balancer addresses are short-circuited, those of mode Proxy are not',
    service: testService({ type: 'LoadBalancer' }, {}, loadBalancer),
    slices: [testSlice(['10.0.0.1'])],
    frontends: [
      '10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080',
      '192.0.2.1:80/TCP LoadBalancer masquerade=always → 10.0.0.1:8080',
    ],
  },
  {
    name: 'load balancer addresses left in the status of another type are no frontends',
    service: testService({}, {}, loadBalancer),
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject'],
  },
  {
    name: 'source ranges apply to load balancer addresses of their family only',
    service: testService(
      {
        type: 'LoadBalancer',
        loadBalancerSourceRanges: [' 10.0.0.0/8 ', '192.0.2.9/24', 'fd00::/8', 'oops'],
        externalIPs: ['203.0.113.1'],
      },
      {},
      loadBalancer,
    ),
    slices: [testSlice(['10.0.0.1'])],
    frontends: [
      '10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080',
      '192.0.2.1:80/TCP LoadBalancer from=10.0.0.0/8,192.0.2.0/24 masquerade=always → 10.0.0.1:8080',
      '203.0.113.1:80/TCP ExternalIP masquerade=always → 10.0.0.1:8080',
    ],
  },
  {
    name: 'the annotation gives source ranges when the field does not, and /0 means everyone',
    service: testService(
      { type: 'LoadBalancer' },
      { annotations: { 'service.beta.kubernetes.io/load-balancer-source-ranges': '10.1.0.0/16, 10.2.0.0/16' } },
      loadBalancer,
    ),
    frontends: [
      '10.96.0.1:80/TCP ClusterIP → reject',
      '192.0.2.1:80/TCP LoadBalancer from=10.1.0.0/16,10.2.0.0/16 masquerade=always → reject',
    ],
  },
  {
    name: 'a range of length 0 is everyone',
    service: testService(
      { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8', '0.0.0.0/0'] },
      {},
      loadBalancer,
    ),
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject', '192.0.2.1:80/TCP LoadBalancer masquerade=always → reject'],
  },
  {
    name: 'session affinity with the default and with a given time-out',
    service: testService({ sessionAffinity: 'ClientIP' }),
    frontends: ['10.96.0.1:80/TCP ClusterIP affinity=10800s → reject'],
  },
  {
    name: 'session affinity with a time-out',
    service: testService({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }),
    frontends: ['10.96.0.1:80/TCP ClusterIP affinity=60s → reject'],
  },
  {
    name: 'a dual-stack Service has the frontends of both families, each with its own endpoints',
    service: testService({ ...nodePortSpec, ...dual }),
    slices: [testSlice(['10.0.0.1']), testSlice(['fd01::0:1'], { addressType: 'IPv6' }, { name: 'cart-2' })],
    frontends: [
      '10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080',
      '*:30080/TCP NodePort masquerade=always → 10.0.0.1:8080',
      '[fd00::1]:80/TCP ClusterIP → fd01::1:8080',
      '[*]:30080/TCP NodePort masquerade=always → fd01::1:8080',
    ],
  },
  {
    name: 'external addresses of a family without cluster IP are left out',
    service: testService({ externalIPs: ['fd00::99', '192.0.2.7'] }),
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject', '192.0.2.7:80/TCP ExternalIP masquerade=always → reject'],
  },
  {
    name: 'headless Services have no frontends',
    service: testService({ clusterIP: 'None', clusterIPs: ['None'] }),
    frontends: [],
  },
  {
    name: 'Services without cluster IP yet have no frontends',
    service: testService({ clusterIP: '', clusterIPs: [] }),
    frontends: [],
  },
  { name: 'ExternalName Services have no frontends', service: testService({ type: 'ExternalName' }), frontends: [] },
  {
    name: 'a Service of another proxy has no frontends',
    service: testService({}, { labels: { 'service.kubernetes.io/service-proxy-name': 'other' } }),
    frontends: [],
  },
  {
    name: 'a Service labelled headless has no frontends',
    service: testService({}, { labels: { 'service.kubernetes.io/headless': '' } }),
    frontends: [],
  },
  {
    name: 'slices labelled headless are ignored',
    service: testService(),
    slices: [
      testSlice(
        ['10.0.0.1'],
        {},
        { labels: { 'kubernetes.io/service-name': 'cart', 'service.kubernetes.io/headless': '' } },
      ),
    ],
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject'],
  },
  {
    name: 'zone hints narrow to this zone when every ready endpoint has them',
    service: testService(),
    slices: [testSlice(['10.0.0.1 zone=z1', '10.0.0.2 zone=z2', '10.0.0.3 !ready'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080'],
  },
  {
    name: 'zone hints are ignored when one ready endpoint lacks them',
    service: testService(),
    slices: [testSlice(['10.0.0.1 zone=z1', '10.0.0.2'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080, 10.0.0.2:8080'],
  },
  {
    name: 'zone hints are ignored when none is for this zone',
    service: testService(),
    slices: [testSlice(['10.0.0.1 zone=z2', '10.0.0.2 zone=z3'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080, 10.0.0.2:8080'],
  },
  {
    name: 'node hints come before zone hints',
    service: testService(),
    slices: [testSlice(['10.0.0.1 zone=z1 node=a', '10.0.0.2 zone=z1 node=b'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080'],
  },
  {
    name: 'without an endpoint hinted for this node the zone decides',
    service: testService(),
    slices: [testSlice(['10.0.0.1 zone=z1 node=c', '10.0.0.2 zone=z2 node=b'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080'],
  },
  {
    name: 'hints never narrow what is local',
    service: testService({ internalTrafficPolicy: 'Local' }),
    slices: [testSlice(['10.0.0.1 @a zone=z2', '10.0.0.2 @b zone=z1'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080*'],
  },
];

for (const { name, service, slices = [], frontends } of cases) {
  test(name, () => {
    const forwards = createRouter({ nodeName: 'a', zone: 'z1' });
    forwards.apply({ type: 'service', new: service });
    for (const slice of slices) forwards.apply({ type: 'slice', new: slice });
    const backwards = createRouter({ nodeName: 'a', zone: 'z1' });
    for (const slice of slices.toReversed()) backwards.apply({ type: 'slice', new: slice });
    backwards.apply({ type: 'service', new: service });

    assert.deepEqual([...forwards.frontends()].map(describeFrontend), frontends);
    assert.deepEqual([...backwards.frontends()], [...forwards.frontends()]);
  });
}

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

test('of two Services with one external address the older has it, whichever came first; it passes on when that goes', () => {
  const older = testService({ externalIPs: ['192.0.2.1'] }, { name: 'z', creationTimestamp: '2026-01-01T00:00:00Z' });
  const younger = testService(
    { externalIPs: ['192.0.2.1'], clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'] },
    { name: 'a', creationTimestamp: '2026-01-02T00:00:00Z' },
  );
  for (const services of [
    [older, younger],
    [younger, older],
  ]) {
    const router = createRouter({ nodeName: 'a' });
    for (const service of services) router.apply({ type: 'service', new: service });
    assert.equal(router.get('192.0.2.1:80/TCP')?.service, 'shop/z');
    const { changed, removed } = router.apply({ type: 'service', old: older });
    assert.deepEqual(removed, ['10.96.0.1:80/TCP']);
    assert.deepEqual(
      changed.map((it) => it.service),
      ['shop/a'],
    );
  }
});

test('nobody takes over a cluster IP by naming it as an external address', () => {
  const router = createRouter({ nodeName: 'a' });
  router.apply({
    type: 'service',
    new: testService({ clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'], externalIPs: ['10.96.0.1'] }, { name: 'a' }),
  });
  router.apply({ type: 'service', new: testService({}, { creationTimestamp: '2026-01-02T00:00:00Z' }) });
  assert.equal(router.get('10.96.0.1:80/TCP')?.service, 'shop/cart');
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
  const cluster = router.apply({ type: 'service', new: testService({ ...spec, externalTrafficPolicy: 'Cluster' }) });
  assert.deepEqual(cluster.healthChecksRemoved, ['shop/cart']);
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
