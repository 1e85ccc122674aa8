import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Deployment } from '../../api/apps/deployment.ts';
import { ConfigMap } from '../../api/core/config-map.ts';
import { Pod } from '../../api/core/pod.ts';
import { Service } from '../../api/core/service.ts';
import { ApiError } from '../../api/errors.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import type { Kind } from '../../api/schema.ts';
import { applyPatch, type Applier } from './apply.ts';
import { trackUpdate } from './update.ts';

const time = '2026-11-23T10:00:00Z';
const later = '2026-11-23T11:00:00Z';
const me: Applier = { manager: 'me', time, force: false };
const you: Applier = { manager: 'you', time: later, force: false };

function merged<T extends ApiObject>(kind: Kind<T>, live: T | undefined, applied: T, applier: Applier): T {
  const result = applyPatch(kind, live, applied, applier);
  assert.equal(result.type, 'merged', JSON.stringify(result));
  return result.type === 'merged' ? result.object : applied;
}

function updated<T extends ApiObject>(kind: Kind<T>, live: T, change: T, manager: string): T {
  const managedFields = trackUpdate(kind, live, change, { manager, time: later });
  return { ...change, metadata: { ...change.metadata, managedFields } };
}

function config(data: Record<string, string>, labels?: Record<string, string>): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', ...(labels && { labels }) }, data };
}

function pod(...containers: Pod['spec']['containers']): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers } };
}

describe('applying', () => {
  it('creates what is absent and owns exactly what was applied', () => {
    const object = merged(ConfigMap, undefined, config({ a: '1' }, { app: 'x' }), me);
    assert.deepEqual(object.metadata.managedFields, [
      {
        manager: 'me',
        operation: 'Apply',
        apiVersion: 'v1',
        time,
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { 'f:a': {} }, 'f:metadata': { 'f:labels': { 'f:app': {} } } },
      },
    ]);
    assert.deepEqual(object.data, { a: '1' });
  });

  it('keeps what others set and removes what it set before and leaves out now', () => {
    const first = merged(ConfigMap, undefined, config({ a: '1', b: '1' }), me);
    const second = updated(ConfigMap, first, { ...first, data: { ...first.data, c: '1' } }, 'you');
    const third = merged(ConfigMap, second, config({ a: '2' }), me);
    assert.deepEqual(third.data, { a: '2', c: '1' });
  });

  it('removes a map when nobody owns anything in it any more', () => {
    const first = merged(ConfigMap, undefined, config({ a: '1' }, { app: 'x' }), me);
    const second = merged(ConfigMap, first, config({ a: '1' }), me);
    assert.equal(second.metadata.labels, undefined);
  });

  it('keeps what another applier owns too', () => {
    const first = merged(ConfigMap, undefined, config({ a: '1', b: '1' }), me);
    const second = merged(ConfigMap, first, config({ b: '1' }), you);
    assert.deepEqual(merged(ConfigMap, second, config({ a: '1' }), me).data, { a: '1', b: '1' });
    const third = merged(ConfigMap, second, config({ a: '1' }), me);
    assert.deepEqual(merged(ConfigMap, third, config({}), you).data, { a: '1' });
  });

  it('changes nothing, not even the time, when nothing is new', () => {
    const first = merged(ConfigMap, undefined, config({ a: '1' }), me);
    const again = applyPatch(ConfigMap, first, config({ a: '1' }), { ...me, time: later });
    assert.deepEqual(again, { type: 'merged', object: first, isChanged: false });
    assert.ok(again.type === 'merged' && again.object === first);
  });

  it('shares a field with whoever set it to the same value', () => {
    const first = merged(ConfigMap, undefined, config({ a: '1' }), me);
    const second = merged(ConfigMap, first, config({ a: '1' }), you);
    assert.deepEqual(
      second.metadata.managedFields?.map(({ manager }) => manager),
      ['me', 'you'],
    );
  });
});

describe('conflicts', () => {
  const live = updated(Service, { metadata: { name: 's' }, spec: {} }, { metadata: { name: 's' }, spec: {} }, 'x');
  const created: Service = {
    metadata: { name: 's' },
    spec: { selector: { a: 'b' }, ports: [{ port: 80, protocol: 'TCP', name: 'x' }] },
  };
  const managedFields = trackUpdate(Service, undefined, created, { manager: 'me', time });
  const tracked: Service = { ...created, metadata: { ...created.metadata, managedFields } };

  it('name the manager, how it wrote, and the field', () => {
    assert.deepEqual(live.metadata.managedFields, []);
    const result = applyPatch(
      Service,
      tracked,
      { metadata: { name: 's' }, spec: { ports: [{ port: 80, name: 'y' }] } },
      you,
    );
    assert.deepEqual(result, {
      type: 'conflicts',
      causes: [
        {
          reason: 'FieldManagerConflict',
          message: 'conflict with "me" using v1',
          field: '.spec.ports[port=80,protocol="TCP"].name',
        },
      ],
    });
  });

  it('are found for atomic values as a whole', () => {
    const result = applyPatch(Service, tracked, { metadata: { name: 's' }, spec: { selector: { a: 'c' } } }, you);
    assert.ok(result.type === 'conflicts');
    assert.deepEqual(
      result.causes.map(({ field }) => field),
      ['.spec.selector'],
    );
  });

  it('tell appliers and subresources apart', () => {
    const applied = merged(ConfigMap, undefined, config({ a: '1' }), me);
    const result = applyPatch(ConfigMap, applied, config({ a: '2' }), you);
    assert.ok(result.type === 'conflicts');
    assert.equal(result.causes[0]?.message, 'conflict with "me"');
    const scaled = trackUpdate(Deployment, undefined, deployment(2), { manager: 'hpa', time, subresource: 'scale' });
    const scaledLive = { ...deployment(2), metadata: { name: 'd', managedFields: scaled } };
    const other = applyPatch(Deployment, scaledLive, deployment(3), you);
    assert.ok(other.type === 'conflicts');
    assert.deepEqual(
      other.causes.map(({ message, field }) => `${message}: ${field}`),
      ['conflict with "hpa" with subresource "scale" using apps/v1: .spec.replicas'],
    );
  });

  it('are overruled by force, which takes the fields over', () => {
    const object = merged(
      Service,
      tracked,
      { metadata: { name: 's' }, spec: { selector: { a: 'c' } } },
      { ...you, force: true },
    );
    assert.deepEqual(object.spec.selector, { a: 'c' });
    const fields = object.metadata.managedFields?.map(({ manager, fieldsV1 }) => [
      manager,
      Object.keys(Object(fieldsV1?.['f:spec'])),
    ]);
    assert.deepEqual(fields, [
      ['you', ['f:selector']],
      ['me', ['f:ports']],
    ]);
  });

  it('protect what was there before anybody applied', () => {
    const untracked: ConfigMap = { ...config({ a: '1', b: '1' }), metadata: { name: 'c', creationTimestamp: time } };
    const result = applyPatch(ConfigMap, untracked, config({ a: '2' }), me);
    assert.ok(result.type === 'conflicts');
    assert.equal(result.causes[0]?.message, 'conflict with "before-first-apply" using v1');
    const taken = merged(ConfigMap, untracked, config({ a: '1' }), me);
    assert.deepEqual(
      taken.metadata.managedFields?.map(({ manager }) => manager),
      ['me', 'before-first-apply'],
    );
    assert.deepEqual(taken.data, { a: '1', b: '1' });
  });
});

function deployment(replicas: number): Deployment {
  const spec = { containers: [{ name: 'c' }] };
  return { metadata: { name: 'd' }, spec: { replicas, selector: {}, template: { metadata: {}, spec } } };
}

describe('applying lists', () => {
  it('merges elements by their keys, with defaults for those left out', () => {
    const first = merged(Pod, undefined, pod({ name: 'a', image: 'a', ports: [{ containerPort: 80 }] }), me);
    const live = updated(
      Pod,
      first,
      pod(
        { name: 'a', image: 'a', ports: [{ containerPort: 80, protocol: 'TCP' }], env: [{ name: 'X', value: '1' }] },
        { name: 'b' },
      ),
      'other',
    );
    const second = merged(Pod, live, pod({ name: 'a', image: 'a', ports: [{ containerPort: 80, name: 'http' }] }), me);
    assert.deepEqual(second.spec.containers, [
      {
        name: 'a',
        image: 'a',
        ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }],
        env: [{ name: 'X', value: '1' }],
      },
      { name: 'b' },
    ]);
  });

  it('removes an element with all that is in it, as nobody else owns the element', () => {
    const first = merged(Pod, undefined, pod({ name: 'a' }, { name: 'b' }), me);
    const live = updated(Pod, first, pod({ name: 'a' }, { name: 'b', image: 'other' }), 'other');
    assert.deepEqual(merged(Pod, live, pod({ name: 'a' }), me).spec.containers, [{ name: 'a' }]);
  });

  const orders: readonly (readonly [string, string, string])[] = [
    ['a x b', 'b a', 'b a x'],
    ['x a', 'a n', 'x a n'],
    ['a b c', 'c', 'a b c'],
    ['', 'b a', 'b a'],
    ['x y', 'n', 'x y n'],
  ];
  for (const [live, applied, expected] of orders) {
    it(`puts ${applied} over ${live || 'nothing'} as ${expected}`, () => {
      const containers = (names: string): { name: string }[] =>
        names
          .split(' ')
          .filter(Boolean)
          .map((name) => ({ name }));
      const before = pod(...containers(live));
      const tracked = {
        ...before,
        metadata: { name: 'p', managedFields: trackUpdate(Pod, undefined, before, { manager: 'x', time }) },
      };
      const object = merged(Pod, tracked, pod(...containers(applied)), { ...me, force: true });
      assert.deepEqual(
        object.spec.containers.map(({ name }) => name),
        expected.split(' '),
      );
    });
  }

  it('owns the values of sets one by one', () => {
    const withFinalizers = (...finalizers: string[]): ConfigMap => ({ metadata: { name: 'c', finalizers } });
    const first = merged(ConfigMap, undefined, withFinalizers('a', 'b'), me);
    const second = merged(ConfigMap, first, withFinalizers('c'), you);
    assert.deepEqual(second.metadata.finalizers, ['a', 'b', 'c']);
    assert.deepEqual(merged(ConfigMap, second, withFinalizers('b'), me).metadata.finalizers, ['b', 'c']);
  });

  it('refuses the same element twice and foreign managed fields', () => {
    const twice = (): unknown => applyPatch(Pod, undefined, pod({ name: 'a' }, { name: 'a' }), me);
    assert.throws(
      twice,
      (error) =>
        error instanceof ApiError &&
        error.code === 400 &&
        /\.spec\.containers: duplicate entries for key \[name="a"\]/.test(error.message),
    );
    const owned = { ...config({}), metadata: { name: 'c', managedFields: [{ manager: 'x' }] } };
    assert.throws(() => applyPatch(ConfigMap, undefined, owned, me), /managedFields must be nil/);
  });
});

describe('applying status', () => {
  it('through the object itself owns no status, through the subresource only status', () => {
    const applied: Service = {
      metadata: { name: 's' },
      spec: { type: 'ClusterIP' },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    };
    assert.deepEqual(merged(Service, undefined, applied, me).metadata.managedFields?.[0]?.fieldsV1, {
      'f:spec': { 'f:type': {} },
    });
    const entry = merged(Service, undefined, applied, { ...me, subresource: 'status' }).metadata.managedFields?.[0];
    assert.deepEqual(
      [entry?.subresource, entry?.fieldsV1],
      ['status', { 'f:status': { 'f:loadBalancer': { 'f:ingress': {} } } }],
    );
  });
});
