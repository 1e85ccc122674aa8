import { declareCases, nodePortSpec, weighted } from './declare-cases.ts';
import { testService, testSlice } from './fixtures.ts';

declareCases([
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
    name: 'an endpoint that does not say on which node it is is where another one of its address is',
    service: testService({ ...nodePortSpec, externalTrafficPolicy: 'Local' }),
    slices: [
      testSlice([
        '10.0.0.1 @a !ready !serving',
        '10.0.0.2',
        '10.0.0.2 @a !ready',
        '10.0.0.4 @b',
        '10.0.0.5 @a terminating',
      ]),
      testSlice(['10.0.0.1'], {}, { name: 'cart-2' }),
      testSlice(['10.0.0.3 @a', '10.0.0.4', '10.0.0.5 @b'], {}, { name: 'cart-3' }),
      testSlice(['10.0.0.3'], { ports: [{ name: 'http', port: 9090, protocol: 'TCP' }] }, { name: 'cart-4' }),
    ],
    frontends: [
      '10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080*, 10.0.0.2:8080*, 10.0.0.3:8080*, 10.0.0.3:9090*, 10.0.0.4:8080, 10.0.0.5:8080',
      '*:30080/TCP NodePort masquerade=never → 10.0.0.1:8080*, 10.0.0.2:8080*, 10.0.0.3:8080*, 10.0.0.3:9090*, 10.0.0.4:8080, 10.0.0.5:8080 | outside → 10.0.0.1:8080*, 10.0.0.2:8080*, 10.0.0.3:8080*, 10.0.0.3:9090*',
    ],
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
      'InvalidEndpoint: EndpointSlice cart-2: endpoints left out: "010.0.0.1" is no IPv4 address, "fd00::1" is no IPv4 address, "nonsense" is no IPv4 address',
      'InvalidEndpoint: EndpointSlice cart-3: endpoints left out: "::ffff:10.0.0.2" is an IPv4-mapped address',
    ],
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
  {
    name: 'conditions that nobody set mean ready, serving and not terminating',
    service: testService(),
    slices: [
      testSlice([], {
        endpoints: [
          { addresses: ['10.0.0.1'] },
          { addresses: ['10.0.0.2'], conditions: {} },
          { addresses: ['10.0.0.3'], conditions: { ready: false } },
          { addresses: ['10.0.0.4'], conditions: { ready: false, terminating: true } },
        ],
      }),
    ],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080, 10.0.0.2:8080'],
  },
  {
    name: 'serving that nobody set means yes for the fallback',
    service: testService(),
    slices: [
      testSlice([], {
        endpoints: [
          { addresses: ['10.0.0.3'], conditions: { ready: false } },
          { addresses: ['10.0.0.4'], conditions: { ready: false, terminating: true } },
        ],
      }),
    ],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.4:8080'],
  },
  {
    name: 'what is published although it is not ready, or terminates, counts as ready',
    service: testService(),
    slices: [
      testSlice([], {
        endpoints: [
          { addresses: ['10.0.0.1'], conditions: { ready: true, serving: false, terminating: false } },
          { addresses: ['10.0.0.2'], conditions: { ready: true, serving: false, terminating: true } },
        ],
      }),
    ],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080, 10.0.0.2:8080'],
  },
  {
    name: 'of several addresses of an endpoint the first counts',
    service: testService(),
    slices: [testSlice([], { endpoints: [{ addresses: ['10.0.0.1', '10.0.0.2'] }] })],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080'],
  },
  {
    name: 'an endpoint without an address is left out and told',
    service: testService(),
    slices: [testSlice(['10.0.0.1'], { endpoints: [{ addresses: [] }, { addresses: ['10.0.0.1'] }] })],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080'],
    notices: ['InvalidEndpoint: EndpointSlice cart-1: endpoints left out: "" is no IPv4 address'],
  },
  {
    name: 'an endpoint twice in one slice counts once, as ready as either says',
    service: testService(),
    slices: [testSlice(['10.0.0.1 !ready !serving', '10.0.0.1', '10.0.0.1 terminating'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080'],
  },
  {
    name: 'a slice without ports has nothing to forward to',
    service: testService(),
    slices: [testSlice(['10.0.0.1'], { ports: undefined })],
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject'],
  },
]);
