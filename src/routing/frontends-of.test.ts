import { declareCases, dual, nodePortSpec } from './declare-cases.ts';
import { testService, testSlice } from './fixtures.ts';

const loadBalancer = {
  loadBalancer: {
    ingress: [
      { ip: '192.0.2.1', ipMode: 'VIP' },
      { ip: '192.0.2.2', ipMode: 'Proxy' },
    ],
  },
};

declareCases([
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
    name: 'session affinity with a time-out that no API server lets through',
    service: testService({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: -1 } } }),
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
    name: 'a port that is none is left out and told; the others answer',
    service: testService({
      ports: [
        { name: 'zero', port: 0 },
        { name: 'high', port: 65_536, protocol: 'UDP' },
        { name: 'odd', port: 81, protocol: 'ICMP' as 'TCP' },
        { port: 82, protocol: 'ICMP' as 'TCP' },
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
      'InvalidPort: port 82/ICMP is no port: the Service does not answer on it',
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
    name: 'one node port for several protocols',
    service: testService({
      type: 'NodePort',
      ports: [
        { name: 'dns', port: 53, nodePort: 30053, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, nodePort: 30053, protocol: 'TCP' },
      ],
    }),
    slices: [testSlice(['10.0.0.1'], { ports: [{ name: 'dns', port: 5353, protocol: 'UDP' }] })],
    frontends: [
      '10.96.0.1:53/UDP ClusterIP → 10.0.0.1:5353',
      '10.96.0.1:53/TCP ClusterIP → reject',
      '*:30053/UDP NodePort masquerade=always → 10.0.0.1:5353',
      '*:30053/TCP NodePort masquerade=always → reject',
    ],
  },
  {
    name: 'externalTrafficPolicy Local holds for every external address',
    config: { allowExternalIps: true },
    service: testService(
      { type: 'LoadBalancer', externalTrafficPolicy: 'Local', externalIPs: ['203.0.113.1'] },
      {},
      loadBalancer,
    ),
    slices: [testSlice(['10.0.0.1 @a terminating', '10.0.0.2 @b'])],
    frontends: [
      '10.96.0.1:80/TCP ClusterIP → 10.0.0.2:8080',
      '192.0.2.1:80/TCP LoadBalancer masquerade=never → 10.0.0.2:8080 | outside → 10.0.0.1:8080*',
      '203.0.113.1:80/TCP ExternalIP masquerade=never → 10.0.0.2:8080 | outside → 10.0.0.1:8080*',
    ],
  },
  {
    name: 'callers inside reach external addresses without regard to either policy',
    service: testService({ ...nodePortSpec, internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' }),
    slices: [testSlice(['10.0.0.1 @a', '10.0.0.2 @b'])],
    frontends: [
      '10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080*',
      '*:30080/TCP NodePort masquerade=never → 10.0.0.1:8080*, 10.0.0.2:8080 | outside → 10.0.0.1:8080*',
    ],
  },
  {
    name: 'internalTrafficPolicy Local says nothing about external addresses',
    service: testService({ ...nodePortSpec, internalTrafficPolicy: 'Local' }),
    slices: [testSlice(['10.0.0.2 @b'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → drop', '*:30080/TCP NodePort masquerade=always → 10.0.0.2:8080'],
    notices: [
      'NoLocalEndpoints: internalTrafficPolicy is Local and no endpoint is on node a: it ignores callers of 10.96.0.1:80/TCP',
    ],
  },
  {
    name: 'an address in two roles is a load balancer address before an external one',
    config: { allowExternalIps: true },
    service: testService({ type: 'LoadBalancer', externalIPs: ['192.0.2.1', '10.96.0.1'] }, {}, loadBalancer),
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject', '192.0.2.1:80/TCP LoadBalancer masquerade=always → reject'],
  },
  {
    name: 'a Service from before dual stack has its address in clusterIP alone',
    service: testService({ clusterIPs: undefined }),
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject'],
  },
]);
