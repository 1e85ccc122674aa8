import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../../api/core/service.ts';
import type { Endpoint, EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { nodeFixture, podFixture, serviceFixture } from '../fixtures.ts';
import type { PodFixture } from '../fixtures.ts';
import { reconcileEndpointSlices } from './reconcile.ts';
import type { EndpointSliceInput } from './reconcile.ts';

const nodes = new Map([
  ['n1', nodeFixture('n1', 'zone-a')],
  ['n2', nodeFixture('n2', 'zone-b')],
]);

function reconcile(service: Service, pods: readonly PodFixture[], more: Partial<EndpointSliceInput> = {}) {
  return reconcileEndpointSlices({
    service,
    pods: pods.map(podFixture),
    nodeOf: (name) => nodes.get(name),
    slices: [],
    ...more,
  });
}

/** The only endpoint of the only slice that is made. */
function onlyEndpoint(service: Service, pod: PodFixture): Endpoint | undefined {
  const { create } = reconcile(service, [pod]);
  assert.equal(create.length, 1);
  return create[0]?.endpoints?.[0];
}

test('an endpoint says where its Pod is and where clients find it', () => {
  const pod = { ip: '10.244.0.7', spec: { hostname: 'first', subdomain: 'web' } };
  assert.deepEqual(onlyEndpoint(serviceFixture(), pod), {
    addresses: ['10.244.0.7'],
    conditions: { ready: true, serving: true, terminating: false },
    hostname: 'first',
    targetRef: { kind: 'Pod', namespace: 'default', name: 'web-1', uid: 'uid-web-1' },
    nodeName: 'n1',
    zone: 'zone-a',
  });
});

const conditions: readonly [string, PodFixture, boolean, [ready: boolean, serving: boolean, terminating: boolean]][] = [
  ['ready', {}, false, [true, true, false]],
  ['not ready', { ready: false }, false, [false, false, false]],
  ['terminating and still serving', { deleting: true }, false, [false, true, true]],
  ['terminating and not serving', { deleting: true, ready: false }, false, [false, false, true]],
  ['not ready but published', { ready: false }, true, [true, false, false]],
  ['terminating but published', { deleting: true, ready: false }, true, [true, false, true]],
];
for (const [title, pod, publishNotReadyAddresses, [ready, serving, terminating]] of conditions) {
  test(`conditions of a Pod that is ${title}`, () => {
    const endpoint = onlyEndpoint(serviceFixture({ publishNotReadyAddresses }), pod);
    assert.deepEqual(endpoint?.conditions, { ready, serving, terminating });
  });
}

const absent: readonly [string, PodFixture][] = [
  ['has finished', { phase: 'Succeeded' }],
  ['has failed', { phase: 'Failed' }],
  ['has no address', { ips: [] }],
  ['has no address of the family', { ip: 'fd00::5' }],
  ['is on a Node that does not exist', { node: 'n9' }],
];
for (const [title, pod] of absent) {
  test(`a Pod that ${title} is no endpoint, and the placeholder stays`, () => {
    assert.equal(onlyEndpoint(serviceFixture(), pod), undefined);
  });
}

test('a Pod on a missing Node is shown when not-ready addresses are published', () => {
  const endpoint = onlyEndpoint(serviceFixture({ publishNotReadyAddresses: true }), { node: 'n9' });
  assert.equal(endpoint?.nodeName, 'n9');
});

test('a named target port is looked up on each Pod, sidecars included; different numbers make different slices', () => {
  const service = serviceFixture({
    ports: [
      { name: 'web', port: 80, targetPort: 'http', appProtocol: 'kubernetes.io/h2c' },
      { name: 'metrics', port: 90, targetPort: 'stats' },
    ],
  });
  const sidecar = {
    name: 'side',
    image: 'i',
    restartPolicy: 'Always',
    ports: [{ name: 'stats', containerPort: 9100, protocol: 'TCP' as const }],
  };
  const initOnly = { name: 'init', image: 'i', ports: [{ name: 'stats', containerPort: 1 }] };
  const { create } = reconcile(service, [
    { name: 'old', ip: '10.0.0.1', ports: [{ name: 'http', containerPort: 8080 }] },
    { name: 'new', ip: '10.0.0.2', ports: [{ name: 'http', containerPort: 9090 }] },
    { name: 'udp', ip: '10.0.0.3', ports: [{ name: 'http', containerPort: 7070, protocol: 'UDP' }] },
    {
      name: 'side',
      ip: '10.0.0.4',
      ports: [{ name: 'http', containerPort: 8080 }],
      spec: { initContainers: [initOnly, sidecar] },
    },
  ]);
  const shown = create.map(({ ports = [], endpoints = [] }) => [
    ports.map(({ name, port, appProtocol }) => `${name}=${port} ${appProtocol ?? ''}`.trim()).join(),
    endpoints.map(({ addresses }) => addresses[0]).join(),
  ]);
  assert.deepEqual(shown, [
    ['web=8080 kubernetes.io/h2c', '10.0.0.1'],
    ['web=9090 kubernetes.io/h2c', '10.0.0.2'],
    ['', '10.0.0.3'],
    ['web=8080 kubernetes.io/h2c,metrics=9100', '10.0.0.4'],
  ]);
});

test('a dual-stack Service has slices of both families', () => {
  const service = serviceFixture({ ipFamilies: ['IPv4', 'IPv6'] });
  const { create } = reconcile(service, [{ ips: ['10.0.0.1', 'fd00::1'] }]);
  const shown = create.map(({ addressType, endpoints }) => `${addressType} ${endpoints?.[0]?.addresses}`);
  assert.deepEqual(shown, ['IPv4 10.0.0.1', 'IPv6 fd00::1']);
});

test('labels mirror the Service but for the reserved ones, and say headless', () => {
  const labels = { team: 'shop', 'kubernetes.io/service-name': 'liar', 'endpointslice.kubernetes.io/managed-by': 'me' };
  const [slice] = reconcile(serviceFixture({ clusterIP: 'None' }, { labels }), [{}]).create;
  assert.deepEqual(slice?.metadata.labels, {
    team: 'shop',
    'service.kubernetes.io/headless': '',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  });
  assert.equal(slice?.metadata.generateName, 'web-');
  assert.deepEqual(
    slice?.metadata.ownerReferences?.map(({ kind, uid, controller }) => [kind, uid, controller]),
    [['Service', 'uid-web', true]],
  );
});

const hints: readonly [string | undefined, PodFixture, Endpoint['hints']][] = [
  [undefined, {}, undefined],
  ['PreferClose', {}, { forZones: [{ name: 'zone-a' }] }],
  ['PreferSameZone', {}, { forZones: [{ name: 'zone-a' }] }],
  ['PreferSameNode', {}, { forZones: [{ name: 'zone-a' }], forNodes: [{ name: 'n1' }] }],
  ['PreferSameZone', { ready: false }, undefined],
];
for (const [trafficDistribution, pod, expected] of hints) {
  test(`hints for ${trafficDistribution ?? 'no distribution'}${pod.ready === false ? ', not ready' : ''}`, () => {
    assert.deepEqual(onlyEndpoint(serviceFixture({ trafficDistribution }), pod)?.hints, expected);
  });
}

test('what needs no endpoints gets none', () => {
  const nothing = { create: [], update: [], delete: [] };
  assert.deepEqual(reconcile(serviceFixture({ selector: undefined }), [{}]), nothing);
  assert.deepEqual(reconcile(serviceFixture({ type: 'ExternalName' }), [{}]), nothing);
  const deleted = serviceFixture({}, { deletionTimestamp: '2026-01-01T00:00:00Z' });
  assert.deepEqual(reconcile(deleted, [{}]), nothing);
});

function stored(slice: EndpointSlice | undefined): EndpointSlice {
  assert.ok(slice);
  return { ...slice, metadata: { ...slice.metadata, name: 'web-abc', resourceVersion: '7' } };
}

test('the trigger time is written with a change and is no reason for one', () => {
  const slice = stored(reconcile(serviceFixture(), [{}], { triggerTimeMs: 1_700_000_000_123 }).create[0]);
  assert.deepEqual(slice.metadata.annotations, {
    'endpoints.kubernetes.io/last-change-trigger-time': '2023-11-14T22:13:20.123Z',
  });
  const same = reconcile(serviceFixture(), [{}], { slices: [slice], triggerTimeMs: 1_800_000_000_000 });
  assert.deepEqual(same, { create: [], update: [], delete: [] });
  const flipped = reconcile(serviceFixture(), [{ ready: false }], { slices: [slice] });
  assert.equal(flipped.update[0]?.metadata.resourceVersion, '7');
  assert.deepEqual(flipped.update[0]?.metadata.annotations, {});
});

/** A Pod with a weight. */
function weighted(name: string, ip: string, weight: string | undefined): PodFixture {
  return { name, ip, metadata: { annotations: weight === undefined ? {} : { 'fairlead.dev/weight': weight } } };
}

test('slices tell the weights of their Pods, and only of those that have one', () => {
  const pods = [weighted('a', '10.0.0.2', ' 3'), weighted('b', '10.0.0.1', '0'), weighted('c', '10.0.0.3', undefined)];
  const [slice] = reconcile(serviceFixture(), pods).create;
  assert.deepEqual(slice?.metadata.annotations, { 'fairlead.dev/weights': '10.0.0.1=0,10.0.0.2=3' });
});

test('each slice tells the weights of its own endpoints', () => {
  const pods = [weighted('a', '10.0.0.1', '1'), weighted('b', '10.0.0.2', '2'), weighted('c', '10.0.0.3', '3')];
  const { create } = reconcile(serviceFixture(), pods, { maxEndpoints: 2 });
  const weights = create.map(({ metadata }) => metadata.annotations?.['fairlead.dev/weights']);
  assert.deepEqual(weights, ['10.0.0.1=1,10.0.0.2=2', '10.0.0.3=3']);
});

test('a weight cannot speak for another Pod', () => {
  const pods = [weighted('a', '10.0.0.1', '3,10.0.0.2=0'), weighted('b', '10.0.0.2', undefined)];
  const [slice] = reconcile(serviceFixture(), pods).create;
  assert.deepEqual(slice?.metadata.annotations, { 'fairlead.dev/weights': '10.0.0.1=3?10.0.0.2?0' });
});

test('a weight that changes or goes is a reason to write, the same weight is none', () => {
  const before = stored(reconcile(serviceFixture(), [weighted('a', '10.0.0.1', '3')]).create[0]);
  const after = (weight: string | undefined) =>
    reconcile(serviceFixture(), [weighted('a', '10.0.0.1', weight)], { slices: [before] }).update.map(
      ({ metadata }) => metadata.annotations,
    );
  assert.deepEqual(after('3'), []);
  assert.deepEqual(after('4'), [{ 'fairlead.dev/weights': '10.0.0.1=4' }]);
  assert.deepEqual(after(undefined), [{}]);
});

test('a topology mode gives ready endpoints a zone, says how it went for each family, and comes before a distribution', () => {
  const annotations = { 'service.kubernetes.io/topology-mode': 'Auto' };
  const service = serviceFixture(
    { trafficDistribution: 'PreferSameNode', ipFamilies: ['IPv4', 'IPv6'] },
    { annotations },
  );
  const pods = [
    { name: 'a', ips: ['10.0.0.1', 'fd00::1'], node: 'n1' },
    { name: 'b', ip: '10.0.0.2', node: 'n2' },
    { name: 'c', ip: '10.0.0.3', node: 'n2', ready: false },
  ];
  const shares = new Map([
    ['zone-a', 0.5],
    ['zone-b', 0.5],
  ]);
  const { create, topology } = reconcile(service, pods, { zoneShares: () => shares });
  const hintsOf = create.map(({ endpoints = [] }) => endpoints.map(({ hints }) => hints?.forZones?.[0]?.name));
  assert.deepEqual(hintsOf, [['zone-a', 'zone-b', undefined], [undefined]]);
  assert.deepEqual(topology, [
    { family: 'IPv4', problem: undefined },
    { family: 'IPv6', problem: 'Insufficient number of endpoints (1 endpoints, 2 zones)' },
  ]);
});
