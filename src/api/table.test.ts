import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deployment } from './apps/deployment.ts';
import { Lease } from './coordination/lease.ts';
import { ConfigMap } from './core/config-map.ts';
import { Endpoints } from './core/endpoints.ts';
import { Event } from './core/event.ts';
import { Namespace } from './core/namespace.ts';
import { Node } from './core/node.ts';
import { EndpointSlice } from './discovery/endpoint-slice.ts';
import { Event as GroupEvent } from './events/event.ts';
import type { ApiObject } from './meta/object-meta.ts';
import { IPAddress } from './networking/ip-address.ts';
import { servedKinds } from './registry.ts';
import type { Kind } from './schema.ts';
import { partialObject, tableColumns, toTable } from './table.ts';

const metadata = { name: 'a', creationTimestamp: '1970-01-01T00:00:00Z' };
const now = 60_000;

function cells<T extends ApiObject>(kind: Kind<T>, object: T): readonly unknown[] {
  return toTable(kind, [object], { now }).rows[0]?.cells ?? [];
}

const headers: readonly (readonly [string, string])[] = [
  ['pods', 'Name Ready Status Restarts Age IP* Node* Nominated-Node* Readiness-Gates*'],
  ['services', 'Name Type Cluster-IP External-IP Port(s) Age Selector*'],
  ['endpoints', 'Name Endpoints Age'],
  ['endpointslices', 'Name AddressType Ports Endpoints Age'],
  ['namespaces', 'Name Status Age'],
  ['nodes', 'Name Status Roles Age Version Internal-IP* External-IP* OS-Image* Kernel-Version* Container-Runtime*'],
  ['configmaps', 'Name Data Age'],
  ['secrets', 'Name Type Data Age'],
  ['events', 'Last-Seen Type Reason Object Subobject* Source* Message First-Seen* Count* Name*'],
  ['deployments', 'Name Ready Up-to-date Available Age Containers* Images* Selector*'],
  ['replicasets', 'Name Desired Current Ready Age Containers* Images* Selector*'],
  ['leases', 'Name Holder Age'],
  ['ipaddresses', 'Name ParentRef Age'],
  ['servicecidrs', 'Name CIDRs Age'],
  ['bindings', 'Name Age'],
];

for (const [plural, wanted] of headers) {
  test(`the columns of ${plural}`, () => {
    const kind = servedKinds.find((each) => each.plural === plural);
    assert.ok(kind);
    const names = tableColumns(kind).map(
      ({ name, priority }) => name.replaceAll(' ', '-') + (priority === 1 ? '*' : ''),
    );
    assert.equal(names.join(' '), wanted);
  });
}

test('rows carry metadata, the object or nothing', () => {
  const map: ConfigMap = { metadata, data: { a: '1' } };
  const of = (include: 'None' | 'Metadata' | 'Object'): unknown =>
    toTable(ConfigMap, [map], { now, include }).rows[0]?.object;
  assert.equal(of('None'), undefined);
  assert.equal(of('Object'), map);
  assert.deepEqual(of('Metadata'), { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata });
  assert.equal(partialObject(map, 'v1beta1').apiVersion, 'meta.k8s.io/v1beta1');
});

test('a list keeps its metadata as a table', () => {
  const table = toTable(ConfigMap, [], { now, metadata: { resourceVersion: '5', continue: 'x' }, version: 'v1beta1' });
  assert.deepEqual(
    [table.apiVersion, table.metadata],
    ['meta.k8s.io/v1beta1', { resourceVersion: '5', continue: 'x' }],
  );
});

test('rows of small kinds', () => {
  assert.deepEqual(cells(ConfigMap, { metadata, data: { a: '1' }, binaryData: { b: '' } }), ['a', 2, '60s']);
  assert.deepEqual(cells(Namespace, { metadata, spec: {}, status: { phase: 'Active' } }), ['a', 'Active', '60s']);
  assert.deepEqual(cells(Lease, { metadata, spec: { holderIdentity: 'me' } }), ['a', 'me', '60s']);
  const parentRef = { resource: 'services', namespace: 'n', name: 'web' };
  assert.deepEqual(cells(IPAddress, { metadata, spec: { parentRef } }), ['a', 'services/n/web', '60s']);
});

test('long lists of endpoints are cut after three', () => {
  const endpoints = [1, 2, 3, 4, 5].map((each) => ({ addresses: [`10.0.0.${each}`] }));
  const slice: EndpointSlice = { metadata, addressType: 'IPv4', endpoints, ports: [{ port: 80 }] };
  assert.deepEqual(cells(EndpointSlice, slice), ['a', 'IPv4', '80', '10.0.0.1,10.0.0.2,10.0.0.3 + 2 more...', '60s']);
  assert.deepEqual(cells(EndpointSlice, { metadata, addressType: 'IPv6', endpoints: [] }), [
    'a',
    'IPv6',
    '<unset>',
    '<unset>',
    '60s',
  ]);
  const subsets = [{ addresses: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], ports: [{ port: 80 }] }];
  assert.deepEqual(cells(Endpoints, { metadata, subsets }), ['a', '10.0.0.1:80,[fd00::1]:80', '60s']);
  assert.deepEqual(cells(Endpoints, { metadata }), ['a', '<none>', '60s']);
});

test('nodes show readiness, roles and addresses', () => {
  const node: Node = {
    metadata: { ...metadata, labels: { 'node-role.kubernetes.io/control-plane': '' } },
    spec: { unschedulable: true },
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      addresses: [{ type: 'InternalIP', address: '10.0.0.9' }],
    },
  };
  assert.deepEqual(cells(Node, node).slice(0, 7), [
    'a',
    'Ready,SchedulingDisabled',
    'control-plane',
    '60s',
    '',
    '10.0.0.9',
    '<none>',
  ]);
});

test('a Deployment counts its Pods', () => {
  const deployment: Deployment = {
    metadata,
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: {
        spec: {
          containers: [
            { name: 'x', image: 'i' },
            { name: 'y', image: 'j' },
          ],
        },
      },
    },
    status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 },
  };
  assert.deepEqual(cells(Deployment, deployment), ['a', '2/3', 3, 1, '60s', 'x,y', 'i,j', 'app=web']);
});

test('an event shows the same in both groups', () => {
  const event: Event = {
    metadata,
    involvedObject: { kind: 'Pod', name: 'p', fieldPath: 'spec.containers{a}' },
    type: 'Normal',
    reason: 'Started',
    message: 'Started it\n',
    source: { component: 'agent', host: 'n1' },
    firstTimestamp: '1970-01-01T00:00:10Z',
    lastTimestamp: '1970-01-01T00:00:50Z',
    count: 4,
  };
  const wanted = [
    '10s',
    'Normal',
    'Started',
    'pod/p',
    'spec.containers{a}',
    'agent, n1',
    'Started it',
    '50s',
    '4',
    'a',
  ];
  assert.deepEqual(cells(Event, event), wanted);
  const other = GroupEvent.fromStored?.(event);
  assert.ok(other);
  assert.deepEqual(cells(GroupEvent, other), wanted);
});
