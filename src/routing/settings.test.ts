import type { Service } from '../api/core/service.ts';
import { declareCases } from './declare-cases.ts';
import { testService, testSlice } from './fixtures.ts';

/** A Service with annotations of Fairlead's. */
function annotated(annotations: Readonly<Record<string, string>>, spec: Partial<Service['spec']> = {}): Service {
  const named = Object.entries(annotations).map(([name, value]) => [`fairlead.dev/${name}`, value]);
  return testService(spec, { annotations: Object.fromEntries(named) });
}

const ports = [
  { name: 'web', port: 8000, nodePort: 30_080 },
  { name: 'media', port: 20_000, protocol: 'UDP' },
] as const;
const slicePorts = [
  { name: 'web', port: 80 },
  { name: 'media', port: 5000, protocol: 'UDP' },
] as const;

declareCases([
  {
    name: 'a scheduler for every frontend of the Service',
    service: annotated(
      { scheduler: 'mh' },
      { type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 30_080 }] },
    ),
    frontends: [
      '10.96.0.1:80/TCP ClusterIP scheduler=mh → reject',
      '*:30080/TCP NodePort scheduler=mh masquerade=always → reject',
    ],
  },
  {
    name: 'the default scheduler, and a Service that asks for another',
    config: { defaults: { scheduler: 'lc' } },
    service: testService(),
    frontends: ['10.96.0.1:80/TCP ClusterIP scheduler=lc → reject'],
  },
  {
    name: 'the annotation comes before the default scheduler',
    config: { defaults: { scheduler: 'lc' } },
    service: annotated({ scheduler: 'rr' }),
    frontends: ['10.96.0.1:80/TCP ClusterIP scheduler=rr → reject'],
  },
  {
    name: 'an unknown scheduler is told, and the default stays',
    config: { defaults: { scheduler: 'lc' } },
    service: annotated({ scheduler: 'fastest' }),
    frontends: ['10.96.0.1:80/TCP ClusterIP scheduler=lc → reject'],
    notices: [
      'InvalidAnnotation: fairlead.dev/scheduler: "fastest" is none of random, rr, wrr, lc, wlc, lblc, lblcr, sh, dh, mh, sed, nq; ignored',
    ],
  },
  {
    name: 'when connections to removed backends are reset',
    service: annotated({ 'reset-removed': '1m30s' }),
    frontends: ['10.96.0.1:80/TCP ClusterIP reset=90s → reject'],
  },
  {
    name: 'connections to removed backends are reset at once',
    service: annotated({ 'reset-removed': '0s' }),
    frontends: ['10.96.0.1:80/TCP ClusterIP reset=0s → reject'],
  },
  {
    name: 'a part of a second is rounded up',
    service: annotated({ 'reset-removed': '1500ms' }),
    frontends: ['10.96.0.1:80/TCP ClusterIP reset=2s → reject'],
  },
  {
    name: 'the default for resetting, and a Service that wants none',
    config: { defaults: { resetAfterSeconds: 10 } },
    service: testService(),
    frontends: ['10.96.0.1:80/TCP ClusterIP reset=10s → reject'],
  },
  {
    name: '"never" takes the default for resetting away',
    config: { defaults: { resetAfterSeconds: 10 } },
    service: annotated({ 'reset-removed': 'never' }),
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject'],
  },
  {
    name: 'a time that is none is told, and the default stays',
    config: { defaults: { resetAfterSeconds: 10 } },
    service: annotated({ 'reset-removed': 'soon' }),
    frontends: ['10.96.0.1:80/TCP ClusterIP reset=10s → reject'],
    notices: [
      'InvalidAnnotation: fairlead.dev/reset-removed: "soon" is no duration such as 30s, of 30 days at most, nor "never"; ignored',
    ],
  },
  {
    name: 'thirty days are the longest time, for resetting',
    service: annotated({ 'reset-removed': '30d' }),
    frontends: ['10.96.0.1:80/TCP ClusterIP reset=2592000s → reject'],
  },
  {
    name: 'a longer time is told and counts as absent',
    service: annotated({ 'reset-removed': '999999999999d', 'slow-start': '31d' }),
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject'],
    notices: [
      'InvalidAnnotation: fairlead.dev/reset-removed: "999999999999d" is no duration such as 30s, of 30 days at most, nor "never"; ignored',
      'InvalidAnnotation: fairlead.dev/slow-start: "31d" is no duration such as 30s, of 30 days at most; ignored',
    ],
  },
  {
    name: 'port ranges keep the port that was called; node ports stay single and have the target port',
    service: annotated({ 'port-ranges': 'web=8000-8999, media=20000-20100' }, { type: 'NodePort', ports }),
    slices: [testSlice(['10.0.0.1'], { ports: slicePorts })],
    frontends: [
      '10.96.0.1:8000/TCP ClusterIP to=8999 → 10.0.0.1:8000',
      '10.96.0.1:20000/UDP ClusterIP to=20100 → 10.0.0.1:20000',
      '*:30080/TCP NodePort masquerade=always → 10.0.0.1:80',
    ],
  },
  {
    name: 'a Service with one port may leave its name out; endpoints of different target ports count once',
    service: annotated({ 'port-ranges': '80-90' }),
    slices: [
      testSlice(['10.0.0.1', '10.0.0.2']),
      testSlice(['10.0.0.1 !ready', '10.0.0.3'], { ports: [{ name: 'http', port: 9090 }] }, { name: 'cart-2' }),
    ],
    frontends: ['10.96.0.1:80/TCP ClusterIP to=90 → 10.0.0.1:80, 10.0.0.2:80, 10.0.0.3:80'],
  },
  {
    name: 'a range of one port is a port',
    service: annotated({ 'port-ranges': 'http=80-80' }),
    slices: [testSlice(['10.0.0.1'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080'],
  },
  {
    name: 'the same ports in another protocol do not stand in the way of a range',
    service: annotated(
      { 'port-ranges': 'web=8000-8999' },
      {
        ports: [
          { name: 'web', port: 8000 },
          { name: 'udp', port: 8080, protocol: 'UDP' },
        ],
      },
    ),
    frontends: ['10.96.0.1:8000/TCP ClusterIP to=8999 → reject', '10.96.0.1:8080/UDP ClusterIP → reject'],
  },
  {
    name: 'a range that cannot be is told, and its port stays single',
    service: annotated(
      { 'port-ranges': 'a=80-90,b=85-95,c=9-10,d=100-99,e=200-70000,80-90,f=1,g 1-2' },
      {
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 85 },
          { name: 'd', port: 100 },
          { name: 'e', port: 200 },
        ],
      },
    ),
    frontends: [
      '10.96.0.1:80/TCP ClusterIP → reject',
      '10.96.0.1:85/TCP ClusterIP to=95 → reject',
      '10.96.0.1:100/TCP ClusterIP → reject',
      '10.96.0.1:200/TCP ClusterIP → reject',
    ],
    notices: [
      '80-90" names no port of the Service',
      'a=80-90" contains the Service\'s port 85',
      'c=9-10" names no port of the Service',
      'd=100-99" must end between 100 and 65535',
      'e=200-70000" must end between 200 and 65535',
      'f=1" is not of the form port-name=first-last',
      'g 1-2" is not of the form port-name=first-last',
    ].map((problem) => `InvalidAnnotation: fairlead.dev/port-ranges: "${problem}; ignored`),
  },
  {
    name: 'a range begins at the number of its port',
    service: annotated({ 'port-ranges': 'http=81-90' }),
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject'],
    notices: [
      'InvalidAnnotation: fairlead.dev/port-ranges: "http=81-90" must begin at 80, the number of the port; ignored',
    ],
  },
  {
    name: 'a headless Service has no frontends and nothing to tell, whatever its annotations say',
    service: annotated({ scheduler: 'fastest' }, { clusterIP: 'None', clusterIPs: ['None'] }),
    slices: [testSlice(['nonsense'])],
    frontends: [],
  },
]);
