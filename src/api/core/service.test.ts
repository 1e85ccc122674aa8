import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDefaults } from '../defaults.ts';
import { prepareCreate, prepareUpdate } from '../strategy.ts';
import { toTable } from '../table.ts';
import { validateCreate, validateUpdate } from '../validate.ts';
import { Service, type ServiceSpec } from './service.ts';

const birth = { uid: 'u', now: 0 };

function serviceOf(spec: ServiceSpec, metadata: Service['metadata'] = {}): Service {
  const object = { metadata: { name: 'web', namespace: 'shop', ...metadata }, spec };
  return prepareCreate(Service, withDefaults(Service, object), birth);
}

/** `field: message` of everything that is wrong. */
function complaints(service: Service): readonly string[] {
  return validateCreate(Service, service, {}).causes.map((cause) => `${cause.field}: ${cause.message}`);
}

function changeComplaints(spec: ServiceSpec, old: ServiceSpec): readonly string[] {
  const before = serviceOf(old);
  const object = withDefaults(Service, { ...before, spec });
  const after = prepareUpdate(Service, object, before);
  return validateUpdate(Service, after, before, {}).causes.map((cause) => `${cause.field}: ${cause.message}`);
}

const http = { port: 80 };

test('a plain Service gets type, protocol, target port, affinity and policy', () => {
  assert.deepEqual(serviceOf({ ports: [http] }).spec, {
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    type: 'ClusterIP',
    sessionAffinity: 'None',
    internalTrafficPolicy: 'Cluster',
  });
});

test('a load balancer gets external policy and node ports', () => {
  const { spec } = serviceOf({ type: 'LoadBalancer', ports: [http] });
  assert.equal(spec.externalTrafficPolicy, 'Cluster');
  assert.equal(spec.allocateLoadBalancerNodePorts, true);
});

test('affinity by client address lasts three hours unless told otherwise', () => {
  const { spec } = serviceOf({ sessionAffinity: 'ClientIP', ports: [http] });
  assert.equal(spec.sessionAffinityConfig?.clientIP?.timeoutSeconds, 10_800);
});

const refused: readonly (readonly [string, ServiceSpec, readonly string[]])[] = [
  ['no ports', {}, ['spec.ports: Required value']],
  [
    'unnamed ports among several',
    { ports: [http, { port: 81 }] },
    ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
  ],
  [
    'the same name twice',
    {
      ports: [
        { port: 1, name: 'a' },
        { port: 2, name: 'a' },
      ],
    },
    ['spec.ports[1].name: Duplicate value: "a"'],
  ],
  [
    'the same port twice',
    {
      ports: [
        { port: 1, name: 'a' },
        { port: 1, name: 'b' },
      ],
    },
    ['spec.ports[1]: Duplicate value: {"port":1,"protocol":"TCP"}'],
  ],
  [
    'port 0',
    { ports: [{ port: 0, targetPort: 1 }] },
    ['spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive'],
  ],
  [
    'a node port without need',
    { ports: [{ port: 80, nodePort: 30080 }] },
    ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
  ],
  [
    'a headless node port Service',
    { type: 'NodePort', clusterIP: 'None', ports: [http] },
    ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services'],
  ],
  ['an external name without name', { type: 'ExternalName' }, ['spec.externalName: Required value']],
  [
    'an external name with an address',
    { type: 'ExternalName', externalName: 'a.example.', clusterIP: '10.0.0.1' },
    ['spec.clusterIPs: Forbidden: may not be set for ExternalName services'],
  ],
  [
    'two addresses of one family',
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '10.0.0.2'], ports: [http] },
    ['spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than one IP for each IP family'],
  ],
  [
    'an address of another family',
    { clusterIP: 'fd00::1', ipFamilies: ['IPv4'], ports: [http] },
    ['spec.clusterIPs[0]: Invalid value: "fd00::1": expected an IPv4 value as indicated by `ipFamilies[0]`'],
  ],
  [
    'None with company',
    { clusterIP: 'None', clusterIPs: ['None', '10.0.0.1'], ports: [http] },
    ['spec.clusterIPs[0]: Invalid value: "None": \'None\' must be the first and only value'],
  ],
  [
    'addresses that differ',
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.2'], ports: [http] },
    ['spec.clusterIPs: Invalid value: ["10.0.0.2"]: element [0] must match clusterIP'],
  ],
  [
    'leading zeros',
    { externalIPs: ['010.0.0.1'], ports: [http] },
    ['spec.externalIPs[0]: Invalid value: "010.0.0.1": must not have leading 0s'],
  ],
  [
    'a loopback external address',
    { externalIPs: ['127.0.0.1'], ports: [http] },
    ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ],
  [
    'affinity settings without affinity',
    { ports: [http], externalTrafficPolicy: 'Local' },
    ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
  ],
  [
    'a day and more of affinity',
    { ports: [http], sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } } },
    [
      'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400',
    ],
  ],
  [
    'load balancer fields on another type',
    {
      ports: [http],
      loadBalancerClass: 'a/b',
      allocateLoadBalancerNodePorts: true,
      loadBalancerSourceRanges: ['10.0.0.0/8'],
    },
    [
      "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
      "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
      "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
    ],
  ],
  [
    'host bits in a source range',
    { type: 'LoadBalancer', ports: [http], loadBalancerSourceRanges: ['10.0.0.1/8'] },
    ['spec.loadBalancerSourceRanges[0]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length'],
  ],
  [
    'a health check port without need',
    { type: 'LoadBalancer', ports: [http], healthCheckNodePort: 30_000 },
    [
      "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    ],
  ],
  [
    'an unknown distribution',
    { ports: [http], trafficDistribution: 'Near' },
    [
      'spec.trafficDistribution: Unsupported value: "Near": supported values: "PreferClose", "PreferSameNode", "PreferSameZone"',
    ],
  ],
];

for (const [what, spec, wanted] of refused) {
  test(`${what}: refused`, () => assert.deepEqual(complaints(serviceOf(spec)), wanted));
}

const accepted: readonly (readonly [string, ServiceSpec])[] = [
  ['a headless Service without ports', { clusterIP: 'None' }],
  [
    'DNS on both protocols',
    {
      ports: [
        { port: 53, name: 'a' },
        { port: 53, name: 'b', protocol: 'UDP' },
      ],
    },
  ],
  [
    'a dual-stack Service',
    { clusterIPs: ['10.0.0.1', 'fd00::1'], clusterIP: '10.0.0.1', ipFamilies: ['IPv4', 'IPv6'], ports: [http] },
  ],
  ['an external name with trailing dot', { type: 'ExternalName', externalName: 'a.example.' }],
  ['a named target', { ports: [{ port: 80, targetPort: 'http', appProtocol: 'kubernetes.io/h2c' }] }],
  ['an external address', { ports: [http], externalIPs: ['192.0.2.1'] }],
];

for (const [what, spec] of accepted) {
  test(`${what}: accepted`, () => assert.deepEqual(complaints(serviceOf(spec)), []));
}

test('a name that no DNS label of RFC 1035 is refused', () => {
  const [first] = complaints(serviceOf({ ports: [http] }, { name: '1web' }));
  assert.match(first ?? '', /^metadata\.name: Invalid value: "1web": a DNS-1035 label must consist of/);
});

test('loopback is accepted where Fairlead runs without root', () => {
  const service = serviceOf({ ports: [http], externalIPs: ['127.0.0.1'] });
  assert.deepEqual(validateCreate(Service, service, { allowLoopback: true }).causes, []);
});

test('what is set in vain or on its way out is warned of', () => {
  const warnings = (spec: ServiceSpec): readonly string[] => validateCreate(Service, serviceOf(spec), {}).warnings;
  assert.deepEqual(warnings({ clusterIP: 'None', sessionAffinity: 'ClientIP', externalIPs: ['192.0.2.1'] }), [
    'spec.externalIPs is ignored for headless services',
    'spec.SessionAffinity is ignored for headless services',
  ]);
  assert.equal(warnings({ ports: [http], trafficDistribution: 'PreferClose' }).length, 1);
  assert.equal(warnings({ ports: [http], externalName: 'a' }).length, 1);
});

const allocated: ServiceSpec = {
  type: 'NodePort',
  clusterIP: '10.96.0.7',
  clusterIPs: ['10.96.0.7'],
  ipFamilies: ['IPv4'],
  ipFamilyPolicy: 'SingleStack',
  ports: [{ name: 'http', port: 80, nodePort: 30_080 }],
};

function changed(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const before = serviceOf(old);
  return prepareUpdate(Service, withDefaults(Service, { ...before, spec }), before).spec;
}

test('allocated addresses and ports are carried over when a client leaves them out', () => {
  const spec = changed({ type: 'NodePort', ports: [{ name: 'http', port: 8080 }] }, allocated);
  assert.equal(spec.clusterIP, '10.96.0.7');
  assert.deepEqual(spec.clusterIPs, ['10.96.0.7']);
  assert.deepEqual(spec.ports, [{ name: 'http', port: 8080, protocol: 'TCP', targetPort: 8080, nodePort: 30_080 }]);
});

test('a change to ExternalName gives addresses and node ports back', () => {
  const spec = changed({ ...serviceOf(allocated).spec, type: 'ExternalName', externalName: 'a.example' }, allocated);
  assert.equal(spec.clusterIP ?? spec.clusterIPs ?? spec.ipFamilies ?? spec.ipFamilyPolicy, undefined);
  assert.equal(spec.ports?.[0]?.nodePort, undefined);
});

test('a change to ClusterIP drops node ports and external policy', () => {
  const spec = changed({ ...serviceOf(allocated).spec, type: 'ClusterIP' }, allocated);
  assert.equal(spec.externalTrafficPolicy, undefined);
  assert.deepEqual(spec.ports, [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 80 }]);
  assert.equal(spec.clusterIP, '10.96.0.7');
});

test('addresses and load balancer class may not change', () => {
  assert.deepEqual(changeComplaints({ ...allocated, clusterIP: '10.96.0.8', clusterIPs: ['10.96.0.8'] }, allocated), [
    'spec.clusterIPs[0]: Invalid value: ["10.96.0.8"]: may not change once set',
  ]);
  const balanced: ServiceSpec = { type: 'LoadBalancer', loadBalancerClass: 'a', ports: [http] };
  assert.deepEqual(changeComplaints({ ...balanced, loadBalancerClass: 'b' }, balanced), [
    'spec.loadBalancerClass: Invalid value: "b": may not change once set',
  ]);
});

test('the secondary address goes only with a change to single stack', () => {
  const dual: ServiceSpec = {
    clusterIP: '10.96.0.7',
    clusterIPs: ['10.96.0.7', 'fd00::7'],
    ipFamilies: ['IPv4', 'IPv6'],
    ipFamilyPolicy: 'PreferDualStack',
    ports: [http],
  };
  const single: ServiceSpec = { ...dual, clusterIPs: ['10.96.0.7'], ipFamilies: ['IPv4'] };
  assert.equal(changeComplaints(single, dual).length, 2);
  assert.deepEqual(changeComplaints({ ...single, ipFamilyPolicy: 'SingleStack' }, dual), []);
});

test('a status is checked when the status is written', () => {
  const before = serviceOf({ type: 'LoadBalancer', ports: [http] });
  const status = { loadBalancer: { ingress: [{ ip: '192.0.2.300' }, { hostname: '192.0.2.1' }, { ipMode: 'VIP' }] } };
  const after = prepareUpdate(Service, { ...before, status }, before, 'status');
  const { causes } = validateUpdate(Service, after, before, { subresource: 'status' });
  assert.deepEqual(
    causes.map((cause) => cause.field),
    [
      'status.loadBalancer.ingress[0].ip',
      'status.loadBalancer.ingress[1].hostname',
      'status.loadBalancer.ingress[2].ipMode',
    ],
  );
});

const rows: readonly (readonly [string, Service, readonly string[]])[] = [
  ['a node port', serviceOf(allocated), ['web', 'NodePort', '10.96.0.7', '<none>', '80:30080/TCP', '60s', '<none>']],
  [
    'a waiting load balancer',
    serviceOf({ type: 'LoadBalancer', ports: [http], selector: { b: '2', a: '1' } }),
    ['web', 'LoadBalancer', '<none>', '<pending>', '80/TCP', '60s', 'a=1,b=2'],
  ],
  [
    'an external name',
    serviceOf({ type: 'ExternalName', externalName: 'a.example' }),
    ['web', 'ExternalName', '<none>', 'a.example', '<none>', '60s', '<none>'],
  ],
  [
    'a load balancer with addresses',
    {
      ...serviceOf({ type: 'LoadBalancer', ports: [http] }),
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { hostname: 'b' }] } },
    },
    ['web', 'LoadBalancer', '<none>', '192.0.2.1,b', '80/TCP', '60s', '<none>'],
  ],
];

for (const [what, service, cells] of rows) {
  test(`${what} as a row of a table`, () => {
    assert.deepEqual(toTable(Service, [service], { now: 60_000 }).rows[0]?.cells, cells);
  });
}
