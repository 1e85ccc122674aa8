import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deployment } from './apps/deployment.ts';
import { ReplicaSet } from './apps/replica-set.ts';
import { Lease } from './coordination/lease.ts';
import { ConfigMap } from './core/config-map.ts';
import { Endpoints } from './core/endpoints.ts';
import { Event } from './core/event.ts';
import { Namespace } from './core/namespace.ts';
import { Node } from './core/node.ts';
import { Secret } from './core/secret.ts';
import { withDefaults } from './defaults.ts';
import { EndpointSlice } from './discovery/endpoint-slice.ts';
import type { ApiObject, ObjectMeta } from './meta/object-meta.ts';
import { IPAddress } from './networking/ip-address.ts';
import { ServiceCIDR } from './networking/service-cidr.ts';
import type { Checked, Kind } from './schema.ts';
import { prepareCreate, prepareUpdate } from './strategy.ts';
import { validateCreate, validateUpdate } from './validate.ts';

const birth = { uid: 'u', now: 0 };

function texts({ causes }: Checked): readonly string[] {
  return causes.map((cause) => `${cause.field}: ${cause.message}`);
}

function create<T extends ApiObject>(kind: Kind<T>, object: T): T {
  return prepareCreate(kind, withDefaults(kind, object), birth);
}

function complaints<T extends ApiObject>(kind: Kind<T>, object: T): readonly string[] {
  return texts(validateCreate(kind, create(kind, object), {}));
}

function changeComplaints<T extends ApiObject>(kind: Kind<T>, old: T, now: T): readonly string[] {
  const before = create(kind, old);
  const after = prepareUpdate(kind, withDefaults(kind, now), before);
  return texts(validateUpdate(kind, after, before, {}));
}

const home: ObjectMeta = { name: 'a', namespace: 'default' };

const badMetadata: readonly (readonly [string, ObjectMeta, RegExp])[] = [
  ['no name', { namespace: 'default' }, /^metadata\.name: Required value: name or generateName is required$/],
  ['no namespace', { name: 'a' }, /^metadata\.namespace: Required value$/],
  ['a bad name', { ...home, name: 'A' }, /^metadata\.name: Invalid value: "A": a lowercase RFC 1123 subdomain/],
  ['a bad prefix', { namespace: 'default', generateName: 'A-' }, /^metadata\.generateName: Invalid value: "A-"/],
  [
    'a bad label key',
    { ...home, labels: { '-': 'a' } },
    /^metadata\.labels: Invalid value: "-": name part must consist/,
  ],
  [
    'a bad label value',
    { ...home, labels: { a: '-' } },
    /^metadata\.labels: Invalid value: "-": a valid label must be/,
  ],
  ['a bad annotation key', { ...home, annotations: { 'a b': '' } }, /^metadata\.annotations: Invalid value: "a b"/],
  [
    'too many annotations',
    { ...home, annotations: { a: 'x'.repeat(262_144) } },
    /^metadata\.annotations: Too long: may not be more than 262144 bytes$/,
  ],
  [
    'an unqualified finalizer',
    { ...home, finalizers: ['mine'] },
    /^metadata\.finalizers\[0\]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified$/,
  ],
  [
    'an owner without name',
    { ...home, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: '', uid: 'u' }] },
    /^metadata\.ownerReferences\[0\]\.name: Invalid value: "": must not be empty$/,
  ],
  [
    'two controllers',
    {
      ...home,
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: '1', controller: true },
        { apiVersion: 'v1', kind: 'Pod', name: 'b', uid: '2', controller: true },
      ],
    },
    /Only one reference can have Controller set to true\. Found "true" in references for a and b$/,
  ],
];

for (const [what, metadata, pattern] of badMetadata) {
  test(`${what}: refused`, () => {
    const found = complaints(ConfigMap, { metadata });
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0] ?? '', pattern);
  });
}

test('an object without namespace may not have one', () => {
  assert.deepEqual(complaints(Namespace, { metadata: home, spec: {} }), [
    'metadata.namespace: Forbidden: not allowed on this type',
  ]);
});

test('no finalizer is added to what is being deleted', () => {
  const before = { ...create(ConfigMap, { metadata: home }) };
  const dying = { ...before, metadata: { ...before.metadata, deletionTimestamp: '1970-01-01T00:00:00Z' } };
  const after = prepareUpdate(ConfigMap, { ...dying, metadata: { ...home, finalizers: ['a/b'] } }, dying);
  assert.deepEqual(texts(validateUpdate(ConfigMap, after, dying, {})), [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/b"}',
  ]);
});

test('a namespace is born active, labelled with its name and held by its finalizer', () => {
  const namespace = create(Namespace, { metadata: { name: 'shop' }, spec: {} });
  assert.deepEqual(namespace.metadata.labels, { 'kubernetes.io/metadata.name': 'shop' });
  assert.deepEqual([namespace.spec, namespace.status], [{ finalizers: ['kubernetes'] }, { phase: 'Active' }]);
});

test('keys of ConfigMaps are file names, and an immutable one stays', () => {
  assert.match(complaints(ConfigMap, { metadata: home, data: { 'a/b': '' } })[0] ?? '', /^data\[a\/b\]: Invalid value/);
  const fixed: ConfigMap = { metadata: home, data: { a: '1' }, immutable: true };
  assert.deepEqual(changeComplaints(ConfigMap, fixed, { ...fixed, data: { a: '2' } }), [
    'data: Forbidden: field is immutable when `immutable` is set',
  ]);
});

test('a Secret takes text in, has a type and keeps it', () => {
  const secret = create(Secret, { metadata: home, stringData: { a: 'b' }, data: { c: 'ZA==' } });
  assert.deepEqual([secret.type, secret.data, secret.stringData], ['Opaque', { a: 'Yg==', c: 'ZA==' }, undefined]);
  assert.deepEqual(complaints(Secret, { metadata: home, type: 'kubernetes.io/tls' }), [
    'data[tls.crt]: Required value',
    'data[tls.key]: Required value',
  ]);
  assert.equal(changeComplaints(Secret, { metadata: home }, { metadata: home, type: 'x' }).length, 1);
});

const slice: EndpointSlice = {
  metadata: home,
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'] }],
  ports: [{ port: 80 }],
};

const badSlices: readonly (readonly [string, Partial<EndpointSlice>, string])[] = [
  [
    'no address',
    { endpoints: [{ addresses: [] }] },
    'endpoints[0].addresses: Required value: must contain at least 1 address',
  ],
  [
    'an address of the other family',
    { endpoints: [{ addresses: ['fd00::1'] }] },
    'endpoints[0].addresses[0]: Invalid value: "fd00::1": must be a valid IPv4 address',
  ],
  [
    'a loopback address',
    { endpoints: [{ addresses: ['127.0.0.1'] }] },
    'endpoints[0].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
  ],
  [
    'one port name twice',
    {
      ports: [
        { name: 'a', port: 1 },
        { name: 'a', port: 2 },
      ],
    },
    'ports[1].name: Duplicate value: "a"',
  ],
];

for (const [what, change, wanted] of badSlices) {
  test(`a slice with ${what}: refused`, () => {
    assert.deepEqual(complaints(EndpointSlice, { ...slice, ...change }), [wanted]);
  });
}

test('ports of a slice get protocol and name, and its address type stays', () => {
  assert.deepEqual(create(EndpointSlice, slice).ports, [{ name: '', port: 80, protocol: 'TCP' }]);
  const changed: EndpointSlice = { ...slice, addressType: 'FQDN', endpoints: [{ addresses: ['a.example'] }] };
  assert.deepEqual(changeComplaints(EndpointSlice, slice, changed), [
    'addressType: Invalid value: "FQDN": field is immutable',
  ]);
});

test('a thousand endpoints fit into a slice, not more', () => {
  const many = Array.from({ length: 1001 }, (_, index) => ({ addresses: [`10.0.${index >> 8}.${index & 255}`] }));
  assert.deepEqual(complaints(EndpointSlice, { ...slice, endpoints: many }), [
    'endpoints: Too many: 1001: must have at most 1000 items',
  ]);
});

test('subsets of Endpoints need an address', () => {
  assert.deepEqual(complaints(Endpoints, { metadata: home, subsets: [{ ports: [{ port: 80 }] }] }), [
    'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`',
  ]);
});

test('addresses have canonical names and an owner that stays', () => {
  const parentRef = { resource: 'services', namespace: 'a', name: 'b' };
  assert.deepEqual(complaints(IPAddress, { metadata: { name: '10.0.0.1' }, spec: { parentRef } }), []);
  assert.match(
    complaints(IPAddress, { metadata: { name: 'fd00::0:1' }, spec: { parentRef } })[0] ?? '',
    /canonical form/,
  );
  assert.deepEqual(complaints(IPAddress, { metadata: { name: '10.0.0.1' }, spec: {} }), [
    'spec.parentRef: Required value',
  ]);
});

test('a ServiceCIDR has one range per family and may only gain the second', () => {
  const of = (...cidrs: readonly string[]): ServiceCIDR => ({ metadata: { name: 'a' }, spec: { cidrs } });
  assert.deepEqual(complaints(ServiceCIDR, of('10.0.0.0/16', 'fd00::/112')), []);
  assert.equal(complaints(ServiceCIDR, of('10.0.0.0/16', '10.1.0.0/16')).length, 1);
  assert.equal(complaints(ServiceCIDR, of('10.0.0.1/16')).length, 1);
  assert.deepEqual(changeComplaints(ServiceCIDR, of('10.0.0.0/16'), of('10.0.0.0/16', 'fd00::/112')), []);
  assert.equal(changeComplaints(ServiceCIDR, of('10.0.0.0/16'), of('10.1.0.0/16')).length, 1);
});

test('leases last a while', () => {
  assert.deepEqual(complaints(Lease, { metadata: home, spec: { leaseDurationSeconds: 0 } }), [
    'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
  ]);
});

test('taints have an effect each, once', () => {
  const taints = [
    { key: 'a', effect: 'NoSchedule' },
    { key: 'a', effect: 'NoSchedule' },
  ] as const;
  assert.deepEqual(complaints(Node, { metadata: { name: 'n' }, spec: { taints } }), [
    'spec.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}',
  ]);
});

test('an event lives in the namespace that it is about', () => {
  const event: Event = { metadata: home, involvedObject: { kind: 'Pod', namespace: 'other' } };
  assert.deepEqual(complaints(Event, event), [
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ]);
});

const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'a', image: 'b' }] } };
const deployment: Deployment = { metadata: home, spec: { selector: { matchLabels: { app: 'web' } }, template } };

test('a Deployment gets replicas, strategy and limits', () => {
  const { spec } = create(Deployment, deployment);
  assert.equal(spec.replicas, 1);
  assert.deepEqual(spec.strategy, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } });
  assert.deepEqual([spec.revisionHistoryLimit, spec.progressDeadlineSeconds], [10, 600]);
  assert.equal(spec.template.spec?.restartPolicy, 'Always');
  assert.equal(spec.template.spec?.enableServiceLinks, undefined);
});

const badDeployments: readonly (readonly [string, Partial<Deployment['spec']>, string])[] = [
  [
    'a selector that misses its Pods',
    { selector: { matchLabels: { app: 'db' } } },
    'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
  ],
  ['an empty selector', { selector: {} }, 'spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
  ['negative replicas', { replicas: -1 }, 'spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
  [
    'Pods that end',
    { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
    'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ],
  [
    'no way to roll',
    { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0',
  ],
  [
    'rolling settings for Recreate',
    { strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } },
    "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
  ],
];

for (const [what, change, wanted] of badDeployments) {
  test(`a Deployment with ${what}: refused`, () => {
    assert.deepEqual(complaints(Deployment, { ...deployment, spec: { ...deployment.spec, ...change } }), [wanted]);
  });
}

test('the selector of a workload stays', () => {
  const other = { matchLabels: { app: 'web', tier: 'x' } };
  const labelled = { ...template, metadata: { labels: { app: 'web', tier: 'x' } } };
  const changed: Deployment = { ...deployment, spec: { selector: other, template: labelled } };
  assert.deepEqual(changeComplaints(Deployment, deployment, changed), [
    'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"x"}}: field is immutable',
  ]);
  const set: ReplicaSet = { metadata: home, spec: deployment.spec };
  assert.equal(changeComplaints(ReplicaSet, set, { ...set, spec: changed.spec }).length, 1);
});
