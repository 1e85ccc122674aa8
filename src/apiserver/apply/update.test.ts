import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Deployment } from '../../api/apps/deployment.ts';
import { ConfigMap } from '../../api/core/config-map.ts';
import { Service } from '../../api/core/service.ts';
import type { ManagedFieldsEntry } from '../../api/meta/object-meta.ts';
import { trackUpdate } from './update.ts';

const time = '2026-11-23T10:00:00Z';
const later = '2026-11-23T11:00:00Z';
const me = { manager: 'me', time };
const you = { manager: 'you', time: later };

const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 's', namespace: 'd', uid: 'u', generation: 1, creationTimestamp: time, labels: { app: 'a' } },
  spec: {
    type: 'ClusterIP',
    selector: { app: 'a' },
    ports: [{ port: 80, protocol: 'TCP', targetPort: 8080 }],
    sessionAffinity: 'None',
  },
  status: { loadBalancer: {} },
};

function fieldsOf(entries: readonly ManagedFieldsEntry[], manager: string): unknown {
  return entries.find((entry) => entry.manager === manager)?.fieldsV1;
}

function config(data: Record<string, string>, managedFields?: readonly ManagedFieldsEntry[]): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', managedFields }, data };
}

describe('managed fields after a create', () => {
  it('are those the API server writes for a Service', () => {
    assert.deepEqual(trackUpdate(Service, undefined, service, me), [
      {
        manager: 'me',
        operation: 'Update',
        apiVersion: 'v1',
        time,
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
          'f:spec': {
            'f:type': {},
            'f:selector': {},
            'f:ports': {
              '.': {},
              'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:protocol': {}, 'f:targetPort': {} },
            },
            'f:sessionAffinity': {},
          },
        },
      },
    ]);
  });

  it('are those the API server writes for a Deployment', () => {
    const deployment: Deployment = {
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'web', image: 'nginx', resources: {} }], securityContext: {} },
        },
      },
    };
    assert.deepEqual(trackUpdate(Deployment, undefined, deployment, me)[0]?.fieldsV1, {
      'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
      'f:spec': {
        'f:replicas': {},
        'f:selector': {},
        'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {}, 'f:maxUnavailable': {} }, 'f:type': {} },
        'f:template': {
          'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
          'f:spec': {
            'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:image': {}, 'f:name': {}, 'f:resources': {} } },
            'f:securityContext': {},
          },
        },
      },
    });
  });

  it('own element by element what has keys or is a set', () => {
    const metadata = {
      name: 'c',
      generateName: 'c-',
      finalizers: ['x/y'],
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: '1' }],
    };
    assert.deepEqual(trackUpdate(ConfigMap, undefined, { metadata }, me)[0]?.fieldsV1, {
      'f:metadata': {
        'f:generateName': {},
        'f:finalizers': { '.': {}, 'v:"x/y"': {} },
        'f:ownerReferences': { '.': {}, 'k:{"uid":"1"}': {} },
      },
    });
  });
});

describe('managed fields after an update', () => {
  const created = trackUpdate(ConfigMap, undefined, config({ a: '1', b: '1' }), me);
  const live = config({ a: '1', b: '1' }, created);

  it('move to whoever changes a field', () => {
    const entries = trackUpdate(ConfigMap, live, config({ a: '2', b: '1', c: '1' }), you);
    assert.deepEqual(fieldsOf(entries, 'me'), { 'f:data': { '.': {}, 'f:b': {} } });
    assert.deepEqual(fieldsOf(entries, 'you'), { 'f:data': { 'f:a': {}, 'f:c': {} } });
    assert.deepEqual(
      entries.map((entry) => entry.time),
      [time, later],
    );
  });

  it('go with the field', () => {
    const entries = trackUpdate(ConfigMap, live, config({ b: '1' }), you);
    assert.deepEqual(
      entries.map(({ manager, fieldsV1 }) => [manager, fieldsV1]),
      [['me', { 'f:data': { '.': {}, 'f:b': {} } }]],
    );
    assert.deepEqual(trackUpdate(ConfigMap, live, { metadata: { name: 'c' } }, you), []);
  });

  it('stay as they are when nothing changes', () => {
    assert.deepEqual(
      trackUpdate(ConfigMap, live, config({ a: '1', b: '1' }, created), { ...me, time: later }),
      created,
    );
  });

  it('get the time of the manager’s last change', () => {
    const entries = trackUpdate(ConfigMap, live, config({ a: '2', b: '1' }, created), { ...me, time: later });
    assert.deepEqual([entries.length, entries[0]?.time], [1, later]);
    assert.deepEqual(entries[0]?.fieldsV1, created[0]?.fieldsV1);
  });

  it('tell subresources apart and leave the rest to them', () => {
    const old = {
      ...service,
      metadata: { ...service.metadata, managedFields: trackUpdate(Service, undefined, service, me) },
    };
    const changed = { ...old, status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } };
    const entries = trackUpdate(Service, old, changed, { ...you, subresource: 'status' });
    assert.equal(entries[1]?.subresource, 'status');
    assert.deepEqual(entries[1]?.fieldsV1, { 'f:status': { 'f:loadBalancer': { 'f:ingress': {} } } });
    assert.equal(trackUpdate(Service, old, changed, you).length, 1);
  });

  it('are reset by one empty entry, and then no longer tracked', () => {
    const reset = trackUpdate(ConfigMap, live, config({ a: '1', b: '1' }, [{}]), you);
    assert.deepEqual(reset, []);
    assert.deepEqual(trackUpdate(ConfigMap, config({ a: '1' }, []), config({ a: '2' }, []), you), []);
  });

  it('are taken from the client when they are well-formed', () => {
    const mine = [{ ...created[0], manager: 'renamed' }];
    assert.deepEqual(
      fieldsOf(trackUpdate(ConfigMap, live, config({ a: '1', b: '1' }, mine), you), 'renamed'),
      created[0]?.fieldsV1,
    );
    for (const sent of [
      [],
      undefined,
      [{ manager: 'x', operation: 'Destroy' }],
      [{ manager: 'x', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: { a: 1 } }],
    ]) {
      assert.deepEqual(trackUpdate(ConfigMap, live, config({ a: '1', b: '1' }, sent), you), created);
    }
  });

  it('fold the oldest of too many managers into one', () => {
    let current = live;
    for (let count = 0; count < 15; count++) {
      const writer = { manager: `writer-${count}`, time: `2026-11-23T12:${String(count).padStart(2, '0')}:00Z` };
      const next = config({ ...current.data, [`k${count}`]: 'x' }, current.metadata.managedFields);
      const managedFields = trackUpdate(ConfigMap, current, next, writer);
      current = { ...next, metadata: { ...next.metadata, managedFields } };
    }
    const entries = current.metadata.managedFields ?? [];
    assert.deepEqual([entries.length, entries[0]?.manager], [10, 'ancient-changes']);
    const data = Object(entries[0]?.fieldsV1?.['f:data']);
    assert.deepEqual(Object.keys(data).toSorted(), ['.', 'f:a', 'f:b', 'f:k0', 'f:k1', 'f:k2', 'f:k3', 'f:k4', 'f:k5']);
  });
});
