import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../api/core/service.ts';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { declareCases } from './declare-cases.ts';
import type { Case } from './declare-cases.ts';
import { describeFrontend, testService, testSlice } from './fixtures.ts';
import { createRouter } from './router.ts';

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

/** A slice of `shop/cart` with weights. */
function weighted(endpoints: readonly string[], weights: string): EndpointSlice {
  const labels = { 'kubernetes.io/service-name': 'cart' };
  return testSlice(endpoints, {}, { labels, annotations: { 'fairlead.dev/weights': weights } });
}

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
    name: 'FQDN slices are ignored; a malformed address costs only its own endpoint, and is told',
    service: testService(),
    slices: [
      testSlice(['example.com'], { addressType: 'FQDN' }),
      testSlice(['010.0.0.1', 'fd00::1', 'nonsense', '10.0.0.1'], {}, { name: 'cart-2' }),
      testSlice(['::ffff:10.0.0.2'], { addressType: 'IPv6' }, { name: 'cart-3' }),
    ],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080'],
    notices: [
      'InvalidEndpoint: EndpointSlice cart-2: no IPv4 address and left out: "010.0.0.1", "fd00::1", "nonsense"',
      'InvalidEndpoint: EndpointSlice cart-3: no IPv6 address and left out: "::ffff:10.0.0.2"',
    ],
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
    notices: [
      'NoLocalEndpoints: internalTrafficPolicy is Local and no endpoint is on node a: it ignores callers of 10.96.0.1:80/TCP',
    ],
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
    notices: [
      'NoLocalEndpoints: externalTrafficPolicy is Local and no endpoint is on node a: it ignores callers of *:30080/TCP',
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
    config: { allowExternalIps: true },
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
    notices: ['InvalidSourceRange: source range "oops" is no CIDR; ignored'],
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
    config: { allowExternalIps: true },
    service: testService({ externalIPs: ['fd00::99', '192.0.2.7'] }),
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject', '192.0.2.7:80/TCP ExternalIP masquerade=always → reject'],
  },
  {
    name: 'external IPs are ignored, and that is told, unless they are allowed',
    service: testService({ externalIPs: ['192.0.2.7', '192.0.2.6'] }),
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject'],
    notices: [
      'ExternalIPsIgnored: spec.externalIPs (192.0.2.6, 192.0.2.7) get no traffic: this proxy does not allow external IPs',
    ],
  },
  {
    name: 'an address that is none is left out and told; the others answer',
    config: { allowExternalIps: true },
    service: testService(
      { type: 'LoadBalancer', clusterIPs: ['10.96.0.1', 'fd00::x'], externalIPs: ['a.example', '192.0.2.7'] },
      {},
      { loadBalancer: { ingress: [{ ip: '192.0.2.300' }, { hostname: 'lb.example' }] } },
    ),
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject', '192.0.2.7:80/TCP ExternalIP masquerade=always → reject'],
    notices: ['192.0.2.300', 'a.example', 'fd00::x'].map(
      (text) => `InvalidAddress: "${text}" is no IP address: the Service does not answer on it`,
    ),
  },
  {
    name: 'weights by address, the rest have 1; what is no weight is told',
    service: testService(),
    slices: [
      weighted(['10.0.0.1', '10.0.0.2', '10.0.0.3'], '10.0.0.1=3, 10.0.0.2=1000, 10.0.0.3=1001, x=1, 10.0.0.1=-1,'),
    ],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080×3, 10.0.0.2:8080×1000, 10.0.0.3:8080'],
    notices: ['10.0.0.1=-1', '10.0.0.3=1001', 'x=1'].map(
      (entry) =>
        `InvalidAnnotation: EndpointSlice cart-1: fairlead.dev/weights: "${entry}" is not of the form address=0-1000; ignored`,
    ),
  },
  {
    name: 'one weight for a slice, and one for an endpoint of it',
    service: testService(),
    slices: [weighted(['10.0.0.1', '10.0.0.2'], '5,10.0.0.2=6'), testSlice(['10.0.0.3'], {}, { name: 'cart-2' })],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080×5, 10.0.0.2:8080×6, 10.0.0.3:8080'],
  },
  {
    name: 'weight 0 stays beside others, here and on other nodes',
    service: testService({ ...nodePortSpec, externalTrafficPolicy: 'Local' }),
    slices: [weighted(['10.0.0.1 @a', '10.0.0.2 @a', '10.0.0.3 @b'], '10.0.0.2=0')],
    frontends: [
      '10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080*, 10.0.0.2:8080*×0, 10.0.0.3:8080',
      '*:30080/TCP NodePort masquerade=never → 10.0.0.1:8080*, 10.0.0.2:8080*×0, 10.0.0.3:8080 | outside → 10.0.0.1:8080*, 10.0.0.2:8080*×0',
    ],
  },
  {
    name: 'a Service whose endpoints all have weight 0 refuses',
    service: testService(),
    slices: [weighted(['10.0.0.1', '10.0.0.2 terminating'], '0')],
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject'],
  },
  {
    name: 'weight 0 counts as absent: terminating endpoints step in',
    service: testService(),
    slices: [weighted(['10.0.0.1', '10.0.0.2 terminating'], '10.0.0.1=0')],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.2:8080'],
  },
  {
    name: 'a node whose own endpoints have weight 0 has none under policy Local',
    service: testService({ internalTrafficPolicy: 'Local' }),
    slices: [weighted(['10.0.0.1 @a', '10.0.0.2 @b'], '10.0.0.1=0')],
    frontends: ['10.96.0.1:80/TCP ClusterIP → drop'],
    notices: [
      'NoLocalEndpoints: internalTrafficPolicy is Local and no endpoint is on node a: it ignores callers of 10.96.0.1:80/TCP',
    ],
  },
  {
    name: 'hints count among endpoints that get connections',
    service: testService(),
    slices: [weighted(['10.0.0.1 zone=z1', '10.0.0.2 zone=z2', '10.0.0.3'], '10.0.0.3=0')],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080, 10.0.0.3:8080×0'],
  },
  {
    name: 'a port that is none is left out and told; the others answer',
    service: testService({
      ports: [
        { name: 'zero', port: 0 },
        { name: 'high', port: 65_536, protocol: 'UDP' },
        { name: 'odd', port: 81, protocol: 'ICMP' as 'TCP' },
        { name: 'http', port: 80 },
      ],
    }),
    slices: [
      testSlice(['10.0.0.1'], {
        ports: [
          { name: 'http', port: 8080 },
          { name: 'http', port: 70_000 },
          { name: 'http', port: 8081, protocol: 'ICMP' as 'TCP' },
          { name: 'http', protocol: 'TCP' },
        ],
      }),
    ],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080'],
    notices: [
      'InvalidEndpoint: EndpointSlice cart-1: no port and left out: 70000/undefined',
      'InvalidEndpoint: EndpointSlice cart-1: no port and left out: 8081/ICMP',
      'InvalidPort: port 0/undefined zero is no port: the Service does not answer on it',
      'InvalidPort: port 65536/UDP high is no port: the Service does not answer on it',
      'InvalidPort: port 81/ICMP odd is no port: the Service does not answer on it',
    ],
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

declareCases(cases);

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
